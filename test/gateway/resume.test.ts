import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { say, script } from "../../src/EmbeddedRealtime.js"
import { GatewayProtocol as Protocol } from "../../src/gateway.js"
import { type Client, type Closed, connect, type Frame, serve } from "./harness.js"

const { closeCodes } = Protocol

const start = (client: Client) => {
  client.send({ _tag: "Start", playback: "estimated" })
  return client.first("Welcome")
}

/** All frames until one that satisfies the predicate, which is the last. */
const until = (client: Client, isLast: (frame: Frame) => boolean): Effect.Effect<ReadonlyArray<Frame>, Closed> =>
  Effect.gen(function* () {
    const frames: Array<Frame> = []
    for (;;) {
      const frame = yield* client.next
      frames.push(frame)
      if (isLast(frame)) return frames
    }
  })

const isEvent = (tag: string) => (frame: Frame) => frame._tag === "Event" && frame.event._tag === tag

const tagsOf = (frames: ReadonlyArray<Frame>): ReadonlyArray<string> =>
  frames.map((frame) => (frame._tag === "Event" ? frame.event._tag : frame._tag))

describe("A client whose socket broke", () => {
  it.scopedLive("gets the frames that it lacks, in order and once, and its call goes on", () =>
    Effect.gen(function* () {
      const { embedded, port } = yield* serve({}, { mind: script([[say("One.")], [say("Two.")]]) })
      const first = yield* connect(port)
      const { callId, key } = yield* start(first)
      first.send({ _tag: "SendText", id: 1, text: "Say one." })
      const before = yield* until(first, isEvent("ResponseDone"))
      // The last five were lost on the way.
      const received = before.length - 5
      first.terminate()
      const second = yield* connect(port)
      second.send({ _tag: "Resume", callId, key, received })
      expect(yield* second.next).toMatchObject({ _tag: "Welcome", callId, next: received + 1, taken: 1 })
      // It never got a reply to its command, and sends it again.
      second.send({ _tag: "SendText", id: 1, text: "Say one." })
      second.send({ _tag: "SendText", id: 2, text: "Say two." })
      const after = yield* until(second, isEvent("ResponseDone"))
      expect(after).toEqual(before.slice(received))
      yield* until(second, isEvent("ResponseDone"))
      const said = (yield* (yield* embedded.connection).conversation).filter(({ type }) => type === "message")
      expect(said.length).toBe(4)
    })
  )

  it.scopedLive("takes the call away from a socket that still has it", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve()
      const first = yield* connect(port)
      const { callId, key } = yield* start(first)
      const second = yield* connect(port)
      second.send({ _tag: "Resume", callId, key, received: 0 })
      yield* second.first("Welcome")
      expect((yield* first.closed).code).toBe(closeCodes.replaced)
      yield* second.event("SessionStarted")
      second.send({ _tag: "SendText", id: 1, text: "Hello!" })
      yield* second.event("ResponseDone")
      expect(yield* gateway.calls).toBe(1)
    })
  )

  it.scopedLive("does not get it back with another key, as another user, or with frames that were never sent", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({
        authenticate: ({ headers }) => Effect.succeed({ id: headers["x-user"] ?? "ada" })
      })
      const first = yield* connect(port)
      const { callId, key } = yield* start(first)
      const resumed = (resume: { callId?: string; key?: string; received?: number }, user = "ada") =>
        Effect.gen(function* () {
          const client = yield* connect(port, { headers: { "x-user": user } })
          client.send({ _tag: "Resume", callId, key, received: 0, ...resume })
          return (yield* client.closed).code
        })
      expect(yield* resumed({ key: `${key}x` })).toBe(closeCodes.notFound)
      expect(yield* resumed({ callId: "another" })).toBe(closeCodes.notFound)
      expect(yield* resumed({ received: 1_000_000 })).toBe(closeCodes.notFound)
      expect(yield* resumed({}, "bob")).toBe(closeCodes.notFound)
      // The call was not disturbed.
      first.send({ _tag: "SendText", id: 1, text: "Hello!" })
      yield* first.event("ResponseDone")
    })
  )

  it.scopedLive("is waited for until a deadline, and then its session ends", () =>
    Effect.gen(function* () {
      const { embedded, gateway, port } = yield* serve({ resumeWithin: "20 millis" })
      const first = yield* connect(port)
      const { callId, key } = yield* start(first)
      first.terminate()
      yield* (yield* embedded.connection).ended
      const second = yield* connect(port)
      second.send({ _tag: "Resume", callId, key, received: 0 })
      expect((yield* second.closed).code).toBe(closeCodes.notFound)
      expect(yield* gateway.calls).toBe(0)
    })
  )

  it.scopedLive("continues from a snapshot where too much came meanwhile, and still hears of its commands", () =>
    Effect.gen(function* () {
      const mind = script([
        [say("An answer that is rather long when it is spoken, so that it is many bytes of audio.")]
      ])
      const { embedded, port } = yield* serve({ maxKeptBytes: 20_000 }, { mind })
      const first = yield* connect(port)
      const { callId, key } = yield* start(first)
      yield* first.event("SessionStarted")
      first.send({ _tag: "SendText", id: 1, text: "Tell me." })
      first.terminate()
      const connection = yield* embedded.connection
      yield* connection.next("response.create")
      const second = yield* connect(port)
      second.send({ _tag: "Resume", callId, key, received: 0 })
      yield* second.first("Welcome")
      second.send({ _tag: "SendText", id: 1, text: "Tell me." })
      const frames = yield* until(second, (frame) => isEvent("EventsMissed")(frame) || isEvent("ResponseDone")(frame))
      expect(tagsOf(frames)).toContain("Done")
    })
  )
})
