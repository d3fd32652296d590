import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { say } from "../../src/ScriptedModel.js"
import { call, plainAgent } from "./harness.js"

describe("A phone call", () => {
  it.scoped("begins with the agent, and ends when the caller hangs up", () =>
    Effect.gen(function* () {
      const { events, live, model, phone } = yield* call(plainAgent, [[say("Hello, who is there?")]])
      yield* TestClock.adjust("5 seconds")
      yield* phone.quiet
      const commands = yield* phone.commands
      expect(yield* phone.problems).toEqual([])
      const played = commands.flatMap((command) => (command._tag === "Play" ? [command.bytes.length] : []))
      expect(played.reduce((sum, length) => sum + length, 0)).toBe(2_000 * 8)
      expect(commands.filter(({ _tag }) => _tag === "Mark").length).toBe(20)
      expect(events.map(({ _tag }) => _tag)).toContain("ResponseDone")
      yield* phone.hangUp
      expect(yield* live.ended).toEqual({ _tag: "CallerHungUp" })
      expect(yield* model.refused).toEqual([])
      expect(yield* phone.closed).toEqual({ code: 1_000, reason: "" })
    })
  )

  it.scoped("cuts what the caller did not hear, once the vendor has dropped it", () =>
    Effect.gen(function* () {
      const { events, model, phone, phoneEvents } = yield* call(plainAgent, [
        [say("This is a long sentence that nobody wants to hear.")],
        [say("Yes?")]
      ])
      yield* TestClock.adjust("1500 millis")
      const connection = yield* model.connection
      yield* connection.speechStarts
      yield* Effect.yieldNow()
      yield* TestClock.adjust("100 millis")
      const truncated = yield* model.next("conversation.item.truncate")
      expect(truncated.audio_end_ms).toBeGreaterThanOrEqual(1_300)
      expect(truncated.audio_end_ms).toBeLessThanOrEqual(1_500)
      expect(phoneEvents).toContainEqual({ _tag: "SpeechCleared" })
      expect(events.map(({ _tag }) => _tag)).toContain("AudioInterrupted")
      expect(yield* phone.waitingMs).toBe(0)
    })
  )
})
