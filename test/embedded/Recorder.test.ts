import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { LongFrames } from "../../src/embedded/LongFrames.js"
import { Recorder } from "../../src/embedded/Recorder.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"

const megabyte = 1024 * 1024
const append = (audio: string): ClientEvent => ({ type: "input_audio_buffer.append", audio })

describe("Recorder", () => {
  it.effect("keeps the newest 64 MiB of long events, and short ones all the while: a server runs for days", () =>
    Effect.gen(function* () {
      const recorder = new Recorder(new LongFrames())
      recorder.received({ type: "response.create" }, 30)
      for (let n = 0; n < 100; n += 1) recorder.received(append(`${n}`), megabyte)
      for (let n = 0; n < 10; n += 1) {
        const refusal = { type: "invalid_request_error" as const, code: "too_long", message: `${n}`, param: null }
        recorder.refused({ event: { type: "nothing" }, refusal }, megabyte)
      }
      expect(recorder.events).toEqual([
        { type: "response.create" },
        ...Array.from({ length: 54 }, (_, index) => append(`${46 + index}`))
      ])
      expect(recorder.refusals.length).toBe(10)
      expect(yield* recorder.next("response.create")).toEqual({ type: "response.create" })
      expect(yield* recorder.next("input_audio_buffer.append")).toEqual(append("46"))
    })
  )

  it("keeps the newest event, however long it is", () => {
    const recorder = new Recorder(new LongFrames())
    recorder.received(append("1"), 40 * megabyte)
    recorder.received(append("2"), 70 * megabyte)
    expect(recorder.events).toEqual([append("2")])
  })

  it("keeps so much of all connections together: a thousand of them are remembered", () => {
    const long = new LongFrames()
    const [first, second] = [new Recorder(long), new Recorder(long)]
    for (let n = 0; n < 40; n += 1) first.received(append(`${n}`), megabyte)
    for (let n = 0; n < 60; n += 1) second.received(append(`${n}`), megabyte)
    expect([first.events.length, second.events.length]).toEqual([4, 60])
  })
})
