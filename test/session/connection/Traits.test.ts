import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../../src/Agent.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import { open } from "../harness.js"

const { say } = ScriptedModel

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
