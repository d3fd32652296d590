import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import { Testing } from "../../src/testing.js"

const agent = Agent.make("Desk", {
  instructions: "",
  tools: [
    Tool.make("ok", { description: "", handler: () => Effect.succeed("fine") }),
    Tool.make("dies", { description: "", handler: () => Effect.die("a secret of the handler") })
  ]
})
const calls = { _tag: "Calls", args: "{}", repeatsId: false } as const
const program: Testing.Program = {
  modality: "text",
  rolloverAfterMs: 3_300_000,
  replies: [
    [
      { ...calls, name: "ok" },
      { ...calls, name: "dies" }
    ]
  ],
  steps: [{ action: { _tag: "UserWrites", text: "Go." }, thenRuns: "all" }]
}

const time = VirtualTime.make()
const observation = await new Promise<Testing.Observation>((resolve) =>
  Effect.runFork(Effect.map(run(agent, program, time, {}), resolve), { scheduler: time.scheduler })
)

const broken = (doctored: Testing.Observation) =>
  Testing.Laws.all(["fine"]).flatMap((law) =>
    Effect.runSync(law.check(doctored)).map(({ message }) => `${law.name}: ${message}`)
  )
const withTimeline = (change: (timeline: ReadonlyArray<Testing.Moment>) => ReadonlyArray<Testing.Moment>) =>
  broken({ ...observation, timeline: change(observation.timeline) })
const isOutput = (moment: Testing.Moment) =>
  moment._tag === "Sent" &&
  moment.event.type === "conversation.item.create" &&
  moment.event.item.type === "function_call_output"
const isRequest = (moment: Testing.Moment) => moment._tag === "Sent" && moment.event.type === "response.create"
const isPublished = (tag: string) => (moment: Testing.Moment) =>
  moment._tag === "Published" && moment.event._tag === tag
const twice = (matches: (moment: Testing.Moment) => boolean) =>
  withTimeline((timeline) => timeline.flatMap((moment) => (matches(moment) ? [moment, moment] : [moment])))
const without = (matches: (moment: Testing.Moment) => boolean) =>
  withTimeline((timeline) => timeline.filter((moment) => !matches(moment)))

describe("Laws", () => {
  it("find nothing but what the test calls a secret, where all is well", () => {
    expect(broken(observation)).toEqual([
      "Discretion: conversation.item.create carries a secret, or the message of a defect."
    ])
  })

  it("see a call that is answered twice, or never", () => {
    expect(twice(isOutput).join()).toContain("Settlement: call_1 was answered twice on connection 1.")
    const connections = observation.connections.map((connection) => ({
      ...connection,
      conversation: connection.conversation.filter((item) => item.type !== "function_call_output")
    }))
    expect(broken({ ...observation, connections }).join()).toContain(
      "Settlement: call_1 (ok) has 0 outputs at the end."
    )
  })

  it("see an end that is published twice, never, or before the output", () => {
    expect(twice(isPublished("ToolSucceeded")).join()).toContain("Publication: call_1 (ok) ended twice.")
    expect(without(isPublished("ToolFailed")).join()).toContain("Publication: call_2 (dies) began, and its end")
    expect(without(isOutput).join()).toContain("Publication: call_2 (dies) ended before its output was sent.")
  })

  it("see a reply that never came, and one that was asked for twice", () => {
    const responses = (moment: Testing.Moment) =>
      moment._tag === "Answered" && moment.event["type"] === "response.created"
    const last = observation.timeline.findLast(responses)
    expect(without((moment) => moment === last).join()).toContain("Liveness: Nobody answered the output of call_1.")
    expect(twice(isRequest).join()).toContain("Exclusivity: A response was requested while")
  })

  it("see what ends the session, what goes on after its end, and what never ends", () => {
    expect(broken({ ...observation, defects: ["Oh no"] }).join()).toContain("Isolation: Something died: Oh no")
    expect(broken({ ...observation, exit: undefined }).join()).toContain("Closure: session.await did not end.")
    expect(broken({ ...observation, openStreams: ["audio"] }).join()).toContain("The stream of audio did not end.")
    const late = withTimeline((timeline) => [...timeline, ...timeline.filter(isRequest)])
    expect(late.join()).toContain("Closure: response.create was sent after the end.")
    expect(without(isPublished("SessionEnded")).join()).toContain("Closure: SessionEnded was not published.")
  })

  it("see what a server refused, and what a defect said", () => {
    const refused = [
      {
        event: { type: "response.cancel" },
        refusal: { code: "x", message: "No.", param: null, type: "server_error" as const }
      }
    ]
    const connections = observation.connections.map((connection) => ({ ...connection, refused }))
    expect(broken({ ...observation, connections }).join()).toContain("Epochs: Connection 1 refused")
    const told = withTimeline((timeline) =>
      timeline.map((moment) =>
        moment._tag === "Sent" && moment.event.type === "conversation.item.create"
          ? {
              ...moment,
              event: {
                type: "conversation.item.create",
                item: {
                  type: "message",
                  role: "user",
                  content: [{ type: "input_text", text: "a secret of the handler" }]
                }
              }
            }
          : moment
      )
    )
    expect(told.join()).toContain("Discretion")
  })
})
