import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import { classifyServerError, decodeServerFrame } from "../../src/Protocol.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"
import { mutatedFrames } from "../../src/testing/mutatedFrames.js"
import { serverEvents } from "../protocol/arbitraries.js"
import { numRuns, seed } from "../runs.js"

/** Fewer may not have enough of each kind. */
const frameCount = Math.max(3_000, numRuns(10_000))

const echo = Tool.make("echo", {
  description: "",
  parameters: { text: Schema.optional(Schema.String) },
  handler: ({ text }) => Effect.succeed(text ?? "nothing")
})
const asks = Tool.make("asks", { description: "", approval: true, handler: () => Effect.succeed("allowed") })
const guardrails = [Guardrail.output("any", { check: () => Effect.succeed(Guardrail.pass), debounce: 1 })]
const agent = Agent.wire([
  Agent.make("Desk", { instructions: "Desk.", tools: [echo, asks], handoffs: ["Other"], guardrails }),
  Agent.make("Other", { instructions: "Other.", tools: [echo], handoffs: ["Desk"] })
])

/** What a server sends in a real conversation: text, speech, calls, a handoff, an approval. */
const record = Effect.gen(function* () {
  const frames: Array<string> = []
  const mind = EmbeddedRealtime.script([
    [EmbeddedRealtime.say("Hello."), EmbeddedRealtime.call("echo", { text: "a" }), EmbeddedRealtime.call("asks")],
    [EmbeddedRealtime.call("transfer_to_Other")],
    [EmbeddedRealtime.say("Bye.")]
  ])
  const server = yield* EmbeddedRealtime.make({
    mind,
    observe: (activity) => activity._tag === "Sent" && frames.push(JSON.stringify(activity.event))
  })
  const session = yield* Effect.provideService(Session.make(agent), RealtimeModel, server.model)
  yield* session.sendText("Hello?")
  const connection = yield* server.connection
  yield* connection.userSays("Go on.")
  for (let second = 0; second < 150; second += 10) yield* TestClock.adjust("10 seconds")
  return frames
}).pipe(Effect.scoped)

/** Errors that are to end a session, or its connection, do. */
const isTheEnd = (text: string): boolean => {
  const frame = decodeServerFrame(text)
  if (frame._tag !== "Known" && frame._tag !== "Salvaged") return false
  if (frame.event.type !== "error") return false
  const severity = classifyServerError(frame.event.error)
  return severity === "fatal" || severity === "transient"
}

/** Sends the frames to one session, and then has a real conversation on it. */
const survive = (frames: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    let isReal = false
    const mind = EmbeddedRealtime.fromFunction((_conversation, _tools, { origin }) => {
      if (!isReal || origin !== "client") return [EmbeddedRealtime.say("Well.")]
      isReal = false
      return [EmbeddedRealtime.call("echo", { text: "alive" }, { callId: "call_real" })]
    })
    const server = yield* EmbeddedRealtime.make({ mind })
    const session = yield* Session.make(agent, { settings: { output_modalities: ["text"] } }).pipe(
      Effect.provideService(RealtimeModel, server.model)
    )
    const events: Array<SessionEvent> = []
    const reading = yield* Effect.fork(
      Stream.runForEach(session.events, (event) => Effect.sync(() => events.push(event)))
    )
    const connection = yield* server.connection
    for (const [index, frame] of frames.entries()) {
      yield* connection.pushText(frame)
      // The user speaks now and then, or the breaker would answer for the tools.
      if (index % 50 === 0) yield* Effect.ignore(session.sendMessage({ type: "message", role: "user", content: [] }))
      if (index % 500 === 0) yield* TestClock.adjust("1 minute")
    }
    yield* TestClock.adjust("10 minutes")
    yield* session.updateAgent("Other").pipe(Effect.ignore)
    isReal = true
    yield* session.sendText("Are you there?")
    yield* TestClock.adjust("2 minutes")
    yield* session.close
    yield* Fiber.join(reading)
    return { events, outputs: yield* connection.outputs, received: yield* connection.received }
  }).pipe(Effect.scoped)

const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(Effect.provide(effect, TestContext.TestContext))

describe("mutatedFrames", () => {
  it(`leave a session alive and lawful: ${frameCount} of them, with the seed ${seed}`, async () => {
    const recorded = await run(record)
    const others = serverEvents.flatMap(([, events]) => fc.sample(events, { numRuns: 2, seed }))
    const texts = [...recorded, ...others.map((event) => JSON.stringify(event))].filter((text) => !isTheEnd(text))
    expect(recorded.length).toBeGreaterThan(50)
    const mutations = mutatedFrames(texts, { minLength: frameCount, maxLength: frameCount }).map((frames) => ({
      // New calls too, not only the recorded ones again.
      frames: frames.map((frame, index) =>
        index % 3 === 0 ? frame.replace(/"call_id":"[^"]*"/, `"call_id":"call_${index}"`) : frame
      ),
      // Nobody reads thousands of frames in a failure: the seed has them all.
      [fc.toStringMethod]: () => `${frames.length} frames`
    }))
    await fc.assert(
      fc.asyncProperty(mutations, async ({ frames }) => {
        const { events, outputs, received } = await run(survive(frames.filter((frame) => !isTheEnd(frame))))
        const tags = new Map<string, number>()
        for (const { _tag } of events) tags.set(_tag, (tags.get(_tag) ?? 0) + 1)
        expect(tags.get("SessionEnded"), JSON.stringify(events.at(-1))).toBe(1)
        expect(events.at(-1)).toEqual({ _tag: "SessionEnded" })
        expect(events.filter(({ _tag }) => _tag === "InputFailed")).toEqual([])
        // The frames did reach the session.
        for (const tag of ["ProtocolViolation", "ToolSucceeded", "ToolFailed", "ServerEventReceived"]) {
          expect(tags.get(tag), tag).toBeGreaterThan(5)
        }
        expect(outputs.filter(({ callId }) => callId === "call_real")).toEqual([
          { callId: "call_real", output: "alive" }
        ])
        const answered = received.flatMap((event) =>
          event.type === "conversation.item.create" && event.item.type === "function_call_output"
            ? event.item.call_id
            : []
        )
        expect(answered.length, "an id is answered once").toBe(new Set(answered).size)
        expect(Object.keys(Object.prototype)).toEqual([])
        expect(Object(Object.create({}))["polluted"]).toBeUndefined()
      }),
      // One session takes them all, so there is nothing to shrink: the seed replays it.
      { seed, numRuns: 1, endOnFailure: true }
    )
  }, 60_000)
})
