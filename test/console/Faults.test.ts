import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { example } from "../../src/console/example.js"
import * as Faults from "../../src/console/Faults.js"
import type { Fault } from "../../src/console/Protocol.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import type { SessionEvent } from "../../src/SessionEvent.js"

/** A session with the example, whose mind asks for the weather in Paris whenever the user speaks. */
const begin = Effect.gen(function* () {
  const faults = yield* Faults.make
  const server = yield* EmbeddedRealtime.make({
    mind: EmbeddedRealtime.script(
      Array.from({ length: 4 }, () => [
        [EmbeddedRealtime.call("get_weather", { city: "Paris" })],
        [EmbeddedRealtime.say("Done.")]
      ]).flat()
    )
  })
  const session = yield* Session.make(faults.agent(example)).pipe(
    Effect.provideService(RealtimeModel, faults.model(server.model))
  )
  return { faults, session, server }
})

type Tag = SessionEvent["_tag"]

const isTag =
  <T extends Tag>(tag: T) =>
  (event: SessionEvent): event is Extract<SessionEvent, { readonly _tag: T }> =>
    event._tag === tag

describe("Faults", () => {
  it.scopedLive.each([
    ["Fail", "ToolFailure"],
    ["Crash", "ToolDefect"]
  ] as const)("make the next call %s once, and the call after it work", ([how, tag]) =>
    Effect.gen(function* () {
      const { faults, session } = yield* begin
      const fault: Fault = { _tag: "ToolFault", how }
      yield* faults.inject(fault)
      const ended = yield* session.events.pipe(
        Stream.filter((event) => event._tag === "ToolFailed" || event._tag === "ToolSucceeded"),
        Stream.map((event) => (event._tag === "ToolFailed" ? event.error._tag : event._tag)),
        Stream.take(2),
        Stream.runCollect,
        Effect.fork
      )
      yield* session.ask("How is the weather?")
      yield* session.ask("And now?")
      expect([...(yield* Fiber.join(ended))]).toEqual([tag, "ToolSucceeded"])
    })
  )

  it.scopedLive("affect only the tool that they name", () =>
    Effect.gen(function* () {
      const { faults, session } = yield* begin
      yield* faults.inject({ _tag: "ToolFault", how: "Fail", tool: "call_taxi" })
      const ended = yield* session.events.pipe(Stream.filter(isTag("ToolSucceeded")), Stream.runHead, Effect.fork)
      yield* session.ask("How is the weather?")
      expect((yield* Fiber.join(ended))._tag).toBe("Some")
    })
  )

  it.scopedLive("drop the connection, and the session goes on with another one", () =>
    Effect.gen(function* () {
      const { faults, server, session } = yield* begin
      const back = yield* session.events.pipe(Stream.filter(isTag("Reconnected")), Stream.runHead, Effect.fork)
      yield* faults.inject({ _tag: "DropConnection" })
      expect((yield* Fiber.join(back))._tag).toBe("Some")
      expect((yield* server.connections).length).toBe(2)
    })
  )
})
