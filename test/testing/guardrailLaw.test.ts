import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as Guardrail from "../../src/Guardrail.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"
import { guardrails } from "../../src/testing/guardrailLaw.js"
import { judge } from "../../src/testing/Law.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import type { Testing } from "../../src/testing.js"

const agent = Agent.make("Desk", {
  instructions: "",
  guardrails: [
    Guardrail.input("polite", {
      check: (text) =>
        text === "BAD"
          ? Effect.as(Effect.sleep("1 second"), Guardrail.trip("Be good."))
          : Effect.succeed(Guardrail.pass)
    }),
    Guardrail.input("broken", { check: () => Effect.fail("down") })
  ],
  tools: [Tool.make("find", { description: "", handler: () => Effect.as(Effect.sleep("2 seconds"), "found") })]
})

/** Somebody asks two questions, the second of which a guardrail stops while its call runs. */
const program: Testing.Program = {
  beginning: { _tag: "Afresh" },
  listens: "at once",
  toolChoice: "auto",
  modality: "audio",
  rolloverAfterMs: 3_300_000,
  journal: "none",
  transcribes: "never",
  imports: { outcome: "completed", item: "behind", ms: 0 },
  replies: [
    [{ _tag: "Says", text: "At nine." }],
    [
      { _tag: "Calls", name: "find", args: "{}", repeatsId: false },
      { _tag: "Says", text: "Let me see." }
    ]
  ],
  steps: [
    { action: { _tag: "UserWrites", text: "When?" }, thenRuns: "all" },
    { action: { _tag: "Waits", ms: 10_000 }, thenRuns: "all" },
    { action: { _tag: "UserWrites", text: "BAD" }, thenRuns: "all" },
    { action: { _tag: "Waits", ms: 10_000 }, thenRuns: "all" }
  ]
}
const time = VirtualTime.make()
const observation = await new Promise<Testing.Observation>((resolve) =>
  Effect.runFork(Effect.map(run(agent, program, time, {}), resolve), { scheduler: time.scheduler })
)

const events = observation.timeline.flatMap((moment) => (moment._tag === "Published" ? [moment.event] : []))
const started = events.filter((event) => event._tag === "ResponseStarted")
const broken = (timeline: ReadonlyArray<Testing.Moment>) =>
  Effect.runSync(judge(guardrails, { ...observation, timeline })).map(({ message }) => message)
/** Behind all that happened. */
const then = (event: SessionEvent) => broken([...observation.timeline, { _tag: "Published", atMs: 60_000, event }])

describe("Guardrails", () => {
  it("holds where a question is stopped while the call of its answer runs", () => {
    expect(events.filter((event) => event._tag === "GuardrailTripped")).toHaveLength(1)
    expect(events.filter((event) => event._tag === "ToolSucceeded")).toHaveLength(1)
    expect(started).toHaveLength(3)
    expect(broken(observation.timeline)).toEqual([])
  })

  it("sees that more of the answer is heard, or read", () => {
    const [, answer] = started
    const at = { responseId: answer?.responseId ?? "", itemId: "i", contentIndex: 0 }
    expect(then({ _tag: "TextDelta", ...at, kind: "Audio", delta: "more" })).toHaveLength(1)
    const chunk = { ...at, outOfBand: false, bytes: new Uint8Array(2) }
    expect(broken([...observation.timeline, { _tag: "Played", atMs: 60_000, chunk }])).toHaveLength(1)
    const [earlier, , later] = started
    for (const other of [earlier, later]) {
      const responseId = other?.responseId ?? ""
      expect(then({ _tag: "TextDelta", ...at, responseId, kind: "Audio", delta: "more" })).toEqual([])
    }
  })

  it("sees that the model is asked to go on after a call of the answer", () => {
    const [, answer] = started
    const callIds = events.flatMap((event) => (event._tag === "ToolSucceeded" ? [event.call.callId] : []))
    const next = { _tag: "ResponseStarted", responseId: "next", requestId: "r", outOfBand: false } as const
    const cause = { itemIds: [], callIds, responseIds: [answer?.responseId ?? ""] }
    expect(then({ ...next, metadata: undefined, cause })).toHaveLength(1)
    expect(then({ ...next, metadata: undefined, cause: { ...cause, responseIds: [] } })).toHaveLength(1)
    expect(then({ ...next, metadata: undefined, cause: { ...cause, itemIds: ["feedback"] } })).toEqual([])
  })

  it("lets the model go on after a call of an earlier answer, whose id a call of the stopped one took again", () => {
    const [earlier, answer] = started
    const calls = events.flatMap((event) => (event._tag === "ToolStarted" ? [event] : []))
    const again = [earlier, answer].flatMap((by) =>
      calls.map(({ call }): Testing.Moment => {
        const event = { _tag: "ToolStarted", call: { ...call, callId: "c", responseId: by?.responseId } } as const
        return { _tag: "Published", atMs: 60_000, event }
      })
    )
    expect(again).toHaveLength(2)
    const next = { _tag: "ResponseStarted", responseId: "next", requestId: "r", outOfBand: false } as const
    const event = { ...next, metadata: undefined, cause: { itemIds: [], callIds: ["c"], responseIds: [] } }
    expect(broken([...observation.timeline, ...again, { _tag: "Published", atMs: 60_000, event }])).toEqual([])
  })

  it("sees that an earlier answer is said to be stopped too", () => {
    const cuts = events.flatMap((event) => (event._tag === "ItemCut" ? [event] : []))
    expect(cuts).toHaveLength(1)
    const first = events.flatMap((event) =>
      event._tag === "ItemAdded" && event.item._tag === "Message" && event.item.role === "assistant" ? [event.item] : []
    )[0]
    if (first === undefined) throw new Error("The model said nothing.")
    expect(then({ _tag: "ItemCut", item: { ...first, blockedBy: "polite" } })).toHaveLength(1)
    expect(then({ _tag: "ItemCut", item: first })).toEqual([])
  })

  it("sees that the reason why a check failed is not published", () => {
    const silenced = observation.timeline.map((moment): Testing.Moment => {
      if (moment._tag !== "Published" || moment.event._tag !== "GuardrailFailed") return moment
      const { failure: _, ...event } = moment.event
      return { ...moment, event }
    })
    expect(broken(silenced)).toHaveLength(2)
  })
})
