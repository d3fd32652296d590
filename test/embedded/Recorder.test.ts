import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Recorder } from "../../src/embedded/Recorder.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"

const megabyte = 1024 * 1024
const append = (audio: string): ClientEvent => ({ type: "input_audio_buffer.append", audio })

describe("Recorder", () => {
  it.effect("keeps the newest 16 MiB of long events, and short ones all the while: a server runs for days", () =>
    Effect.gen(function* () {
      const recorder = new Recorder()
      recorder.received({ type: "response.create" }, 30)
      for (let n = 0; n < 100; n += 1) recorder.received(append(`${n}`), megabyte)
      for (let n = 0; n < 10; n += 1) {
        const refusal = { type: "invalid_request_error" as const, code: "too_long", message: `${n}`, param: null }
        recorder.refused({ event: { type: "nothing" }, refusal }, megabyte)
      }
      expect(recorder.events).toEqual([
        { type: "response.create" },
        ...Array.from({ length: 6 }, (_, index) => append(`${94 + index}`))
      ])
      expect(recorder.refusals.length).toBe(10)
      expect(yield* recorder.next("response.create")).toEqual({ type: "response.create" })
      expect(yield* recorder.next("input_audio_buffer.append")).toEqual(append("94"))
    })
  )

  it("keeps the newest event, however long it is", () => {
    const recorder = new Recorder()
    recorder.received(append("1"), 10 * megabyte)
    recorder.received(append("2"), 20 * megabyte)
    expect(recorder.events).toEqual([append("2")])
  })
})
