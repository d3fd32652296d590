import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import type * as Session from "../../../src/Session.js"
import * as Tool from "../../../src/Tool.js"
import { open } from "../harness.js"

const { call, say } = ScriptedModel

const desk = Agent.make("Desk", {
  instructions: "Be brief.",
  settings: {
    output_modalities: ["audio"],
    audio: { input: { format: { type: "audio/pcmu" }, noise_reduction: null }, output: { voice: "marin", speed: 1.1 } }
  }
})
const long = say("One, two, three, four, five, six, seven, eight, nine, ten.")
const spoken = { settings: { output_modalities: ["audio"] } } as const

describe("What differs on a connection", () => {
  it.scoped("sends no audio where the audio travels elsewhere, and says so", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], {}, {}, { audio: "elsewhere" })
      const error = yield* Effect.flip(h.session.sendAudio(new Uint8Array(480)))
      expect(error).toMatchObject({ _tag: "InvalidAudio", reason: "Elsewhere" })
      expect((yield* h.model.sent).map(({ type }) => type)).toEqual(["session.update"])
    })
  )

  it.scoped("leaves the voice and the formats to whoever made the call, where the audio travels elsewhere", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], spoken, {}, { audio: "elsewhere" })
      const update = yield* h.model.next("session.update")
      expect(update.session).toMatchObject({ audio: { input: { noise_reduction: null }, output: { speed: 1.1 } } })
      expect(JSON.stringify(update)).not.toMatch(/voice|format/)
    })
  )

  it.scoped("cuts nothing in the conversation of a server that does so itself", () =>
    Effect.gen(function* () {
      const truncations = (traits: object) =>
        Effect.gen(function* () {
          const h = yield* open(desk, [[long]], spoken, {}, traits)
          yield* h.session.sendText("Count.")
          yield* h.first("ResponseDone")
          yield* h.session.interrupt
          yield* h.first("AudioInterrupted")
          return (yield* h.model.sent).filter(({ type }) => type === "conversation.item.truncate").length
        })
      expect(yield* truncations({})).toBe(1)
      expect(yield* truncations({ truncation: "server" })).toBe(0)
    })
  )
})

const held = (name: string, onFailure: "respond" | "terminate") =>
  Tool.make(name, { description: "", onFailure, handler: () => Effect.never })
const holder = Agent.make("Holder", { instructions: "", tools: [held("waits", "respond"), held("ends", "terminate")] })

/** The model has taken its only call back. `next`: what it says if it is asked. */
const takenBack = (next: ScriptedModel.Turn, options: Session.Options = {}) =>
  Effect.gen(function* () {
    const h = yield* open(holder, [[call("waits", {}, { callId: "call_1" })], next], options)
    yield* h.session.sendText("Wait.")
    yield* h.first("ToolStarted")
    yield* h.push({ _tag: "CallsCancelled", callIds: ["call_1"] })
    yield* h.first("ToolFailed")
    return h
  })

describe("A call that the model takes back", () => {
  it.scoped("is stopped, said so once, and neither asks the model to go on nor ends the session", () =>
    Effect.gen(function* () {
      const h = yield* open(holder, [[call("waits", {}, { callId: "call_1" }), call("ends", {}, { callId: "call_2" })]])
      yield* h.session.sendText("Wait.")
      yield* h.nth("ToolStarted", 2)
      yield* h.push({ _tag: "CallsCancelled", callIds: ["call_1", "call_2", "call_unknown"] })
      const { error, output } = yield* h.nth("ToolFailed", 2)
      expect(error).toMatchObject({ _tag: "ToolInterrupted", by: "model" })
      expect(output).toContain("because the model took its call back")
      expect(h.all("ToolFailed").map((event) => event.call.callId)).toEqual(["call_1", "call_2"])
      // The server may still answer what made it take them back.
      yield* TestClock.adjust("9 seconds")
      expect(yield* h.requests).toBe(1)
      expect(h.all("SessionEnded")).toEqual([])
    })
  )

  it.scoped("is gone on from if the model then says nothing by itself", () =>
    Effect.gen(function* () {
      const h = yield* takenBack([say("Where were we?")])
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.requests).toBe(2)
      expect(yield* h.nth("TextCompleted", 1)).toMatchObject({ text: "Where were we?" })
      yield* TestClock.adjust("1 minute")
      expect(yield* h.requests).toBe(2)
    })
  )

  it.scoped("waits for the user's own words where only the application has the model answer", () =>
    Effect.gen(function* () {
      const quiet = { audio: { input: { turn_detection: null } }, output_modalities: ["text"] } as const
      const h = yield* takenBack([say("Nobody asked.")], { settings: quiet })
      yield* TestClock.adjust("1 minute")
      expect(yield* h.requests).toBe(1)
    })
  )
})
