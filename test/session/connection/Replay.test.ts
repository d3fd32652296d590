import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import { textOf } from "../../../src/Conversation.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import type * as Session from "../../../src/Session.js"
import * as Tool from "../../../src/Tool.js"
import { type Harness, open } from "../harness.js"
import { handled } from "../speaking.js"

const { call, say } = ScriptedModel
const { Faults } = EmbeddedRealtime

const desk = Agent.make("Desk", { instructions: "Be brief." })
const tooled = Agent.make("Desk", {
  instructions: "Be brief.",
  tools: [Tool.make("look", { description: "Looks.", handler: () => Effect.succeed("12") })]
})
const transcribed: Session.Options = {
  settings: { output_modalities: ["text"], audio: { input: { transcription: { model: "whisper-1" } } } }
}

/** What both sides have of the conversation, in words. */
const both = (h: Harness<unknown>) =>
  Effect.gen(function* () {
    yield* handled(h)
    const { conversation } = yield* h.model.connection
    const theirs = (yield* conversation).map((item) =>
      item.type === "message"
        ? item.content.map((part) => ("text" in part ? part.text : "transcript" in part ? part.transcript : "")).join()
        : item.type
    )
    const { items } = yield* h.session.conversation
    return { ours: items.map((item) => (item._tag === "Message" ? textOf(item) : item._tag)), theirs }
  })

/** The model is greeted, and the connection is lost; the next one is there, and takes a second for the settings. */
const reconnecting = (fault: EmbeddedRealtime.Faults.Fault, options: Session.Options = {}) =>
  Effect.gen(function* () {
    const turns = [[say("Good day!")], [say("I am here.")], [say("Yes.")]]
    const h = yield* open(desk, turns, options, { faults: [fault] })
    yield* h.session.sendText("Hello.")
    yield* h.first("ResponseDone")
    yield* h.model.drop()
    yield* h.first("ConnectionLost")
    yield* TestClock.adjust("301 millis")
    return h
  })

const all = (...texts: ReadonlyArray<string>) => ({ ours: texts, theirs: texts })

describe("§6: another connection is told the conversation", () => {
  it.scoped("in front of what the user says before it has been", () =>
    Effect.gen(function* () {
      const h = yield* reconnecting(Faults.delay("session.updated", "1 second", { connection: 2 }), transcribed)
      yield* h.model.userSays("Are you there?")
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 2)
      expect(yield* both(h)).toEqual(all("Hello.", "Good day!", "Are you there?", "I am here."))
    })
  )

  it.scoped("without what that server has heard already", () =>
    Effect.gen(function* () {
      const slow = Faults.onClientEvent("session.update", [Faults.wait("1 second"), Faults.pass], { connection: 2 })
      const h = yield* reconnecting(slow, transcribed)
      yield* h.model.userSays("Are you there?")
      yield* h.nth("ResponseDone", 2)
      yield* TestClock.adjust("1 second")
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 2, omitted: [] })
      // The server did not know yet that a transcript was wanted.
      expect((yield* both(h)).ours).toEqual(["Hello.", "Good day!", "", "I am here."])
      expect((yield* both(h)).theirs).toEqual(["Hello.", "Good day!", "Are you there?", "I am here."])
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("once more where the server does not take some of it the first time, and in its order", () =>
    Effect.gen(function* () {
      const passing = [Faults.refuse("server_error", "The server had an error.")]
      const h = yield* reconnecting(
        Faults.onClientEvent("conversation.item.create", passing, { connection: 2, nth: 1 })
      )
      yield* h.first("Reconnected")
      expect(yield* both(h)).toEqual(all("Hello.", "Good day!"))
      expect(h.all("ItemDeleted")).toEqual([])
      expect(h.all("ServerErrorReceived")).toEqual([])
    })
  )

  it.scoped(
    "with the outputs of its calls, of which none is there twice where the server did not take it at first",
    () =>
      Effect.gen(function* () {
        const passing = [Faults.refuse("server_error", "The server had an error.")]
        const refusing = Faults.onClientEvent("conversation.item.create", passing, { connection: 2, nth: 3 })
        const h = yield* open(tooled, [[call("look", {})], [say("It is 12.")]], {}, { faults: [refusing] })
        yield* h.session.sendText("Look.")
        yield* h.nth("ResponseDone", 2)
        yield* h.model.drop()
        yield* h.first("ConnectionLost")
        yield* TestClock.adjust("301 millis")
        yield* h.first("Reconnected")
        const { ours, theirs } = yield* both(h)
        expect(ours).toEqual(["Look.", "FunctionCall", "FunctionCallOutput", "It is 12."])
        expect(theirs).toEqual(["Look.", "function_call", "function_call_output", "It is 12."])
        expect(h.all("OutputRefused")).toEqual([])
      })
  )

  it.scoped("with the output that is made meanwhile, where the server did not take the call at first", () =>
    Effect.gen(function* () {
      const passing = [Faults.refuse("server_error", "The server had an error.")]
      const refusing = Faults.onClientEvent("conversation.item.create", passing, { connection: 2, nth: 2 })
      const slow = Agent.make("Desk", {
        instructions: "Be brief.",
        tools: [Tool.make("look", { description: "Looks.", handler: () => Effect.delay(Effect.succeed("12"), 200) })]
      })
      const h = yield* open(slow, [[call("look", {})], [say("One moment.")], [say("12.")]], {}, { faults: [refusing] })
      yield* h.session.sendText("Look.")
      yield* h.first("ToolStarted")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("301 millis")
      // The first one was asked for before it was known that the server has no call.
      yield* h.nth("ResponseDone", 3)
      const { ours, theirs } = yield* both(h)
      expect(ours).toEqual(["Look.", "FunctionCall", "One moment.", "FunctionCallOutput", "12."])
      expect(theirs).toEqual(["Look.", "function_call", "One moment.", "function_call_output", "12."])
      expect(h.all("OutputRefused")).toEqual([])
    })
  )

  it.scoped("on the connection after that, where a server takes nothing of it for a while", () =>
    Effect.gen(function* () {
      const overloaded = [Faults.refuse("server_error", "The server is overloaded.")]
      const h = yield* reconnecting(Faults.onClientEvent("conversation.item.create", overloaded, { connection: 2 }))
      yield* h.first("Reconnected")
      yield* handled(h)
      expect(h.all("ItemDeleted")).toEqual([])
      expect(h.all("ServerErrorReceived").map(({ message }) => message)).toContain("The server is overloaded.")
      yield* h.model.drop()
      yield* h.nth("ConnectionLost", 2)
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("Reconnected", 2)
      expect(yield* both(h)).toEqual(all("Hello.", "Good day!"))
    })
  )

  it.scoped("in its place, also where much of it is refused for what came before it", () =>
    Effect.gen(function* () {
      const passing = [Faults.refuse("server_error", "The server had an error.")]
      const refusing = Faults.onClientEvent("conversation.item.create", passing, { connection: 2, nth: 1 })
      const turns = ["One.", "Two.", "Three.", "Four."].map((text) => [say(text)])
      const h = yield* open(desk, turns, transcribed, { faults: [refusing] })
      for (const [index, text] of ["A", "B", "C"].entries()) {
        yield* h.session.sendText(text)
        yield* h.nth("ResponseDone", index + 1)
      }
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("301 millis")
      yield* h.first("Reconnected")
      expect(yield* both(h)).toEqual(all("A", "One.", "B", "Two.", "C", "Three."))
    })
  )

  it.scoped("but for what the server refuses: nothing here says that the model knows it", () =>
    Effect.gen(function* () {
      const refuseHello = Faults.onClientEvent(
        "conversation.item.create",
        (event) =>
          JSON.stringify(event).includes("Hello.") ? [Faults.refuse("invalid_value", "No greetings.")] : undefined,
        { connection: 2 }
      )
      const h = yield* reconnecting(refuseHello)
      yield* h.first("Reconnected")
      expect(yield* both(h)).toEqual(all("Good day!"))
      expect(h.all("ItemDeleted")).toMatchObject([{ itemId: expect.stringMatching(/^itm_/) }])
      expect(h.all("ServerErrorReceived")).toMatchObject([{ code: "invalid_value", message: "No greetings." }])
      yield* h.session.sendText("Are you there?")
      yield* h.nth("ResponseDone", 2)
      expect(yield* both(h)).toEqual(all("Good day!", "Are you there?", "I am here."))
    })
  )
})
