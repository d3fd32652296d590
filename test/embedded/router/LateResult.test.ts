import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Agent, EmbeddedRealtime, Session, Tool } from "../../../src/index.js"
import * as LateResult from "../../../src/protocol/LateResult.js"

class FullyBooked extends Schema.TaggedError<FullyBooked>()("FullyBooked", {}) {
  override get message() {
    return "Sakura has no table tonight."
  }
}

/** A guest of an agent that books in a minute, and what the embedded model says to them. */
const guest = (result: Effect.Effect<string, FullyBooked>) =>
  Effect.gen(function* () {
    const book = Tool.make("book_table", {
      description: "Books a table",
      parameters: { restaurant: Schema.String },
      timeout: "5 minutes",
      failure: FullyBooked,
      handler: () => Effect.delay(result, "1 minute")
    })
    const time = Tool.make("opening_hours", {
      description: "When breakfast is",
      parameters: {},
      handler: () => Effect.succeed("Seven to ten.")
    })
    const agent = Agent.make("Concierge", {
      instructions: "Help the guest.",
      settings: { output_modalities: ["text"] },
      tools: [Tool.deferred(book, "The restaurant is being called."), time]
    })
    const session = yield* Session.make(agent).pipe(Effect.provide(EmbeddedRealtime.layer()))
    const said = yield* Mailbox.make<string>()
    yield* session.events.pipe(
      Stream.runForEach((event) => (event._tag === "TextCompleted" ? said.offer(event.text) : Effect.void)),
      Effect.forkScoped
    )
    return { say: session.sendText, hears: said.take, pending: said.size }
  })

describe("The default mind", () => {
  it.scoped("speaks the late result of a deferred call", () =>
    Effect.gen(function* () {
      const { hears, say } = yield* guest(Effect.succeed("A table at eight."))
      yield* say("Book a table at Sakura.")
      expect(yield* hears).toBe("The restaurant is being called.")
      yield* TestClock.adjust("1 minute")
      expect(yield* hears).toBe("A table at eight.")
    })
  )

  it.scoped("speaks the late failure of a deferred call", () =>
    Effect.gen(function* () {
      const { hears, say } = yield* guest(Effect.fail(new FullyBooked()))
      yield* say("Book a table at Sakura.")
      expect(yield* hears).toBe("The restaurant is being called.")
      yield* TestClock.adjust("1 minute")
      expect(yield* hears).toBe("Sorry, book table did not work: Sakura has no table tonight.")
    })
  )

  it.scoped("talks of other things until a late result is there, and then of that, once", () =>
    Effect.gen(function* () {
      const { hears, pending, say } = yield* guest(Effect.succeed("A table at eight."))
      yield* say("Book a table at Sakura.")
      yield* hears
      yield* say("When is breakfast?")
      expect(yield* hears).toBe("Seven to ten.")
      yield* TestClock.adjust("1 minute")
      expect(yield* hears).toBe("A table at eight.")
      yield* say("When is breakfast?")
      expect(yield* hears).toBe("Seven to ten.")
      expect(yield* pending).toEqual(expect.objectContaining({ value: 0 }))
    })
  )
})

describe("LateResult", () => {
  it("is read as it was written", () => {
    const name = fc.stringMatching(/^[\w-]{1,64}$/)
    fc.assert(
      fc.property(name, name, fc.string(), (tool, callId, output) => {
        expect(LateResult.parse(LateResult.textOf({ tool, callId, output }))).toEqual({ tool, callId, output })
      })
    )
    expect(LateResult.parse("The result of it all has come.")).toBeUndefined()
  })
})
