import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { makeMemory } from "../../src/embedded/Budget.js"
import { Recorder } from "../../src/embedded/Recorder.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"

const megabyte = 1024 * 1024
const append = (audio: string): ClientEvent => ({ type: "input_audio_buffer.append", audio })

describe("Recorder", () => {
  it.effect("keeps the newest 64 MiB of long events, and short ones all the while: a server runs for days", () =>
    Effect.gen(function* () {
      const recorder = new Recorder(makeMemory())
      recorder.received({ type: "response.create" }, 30)
      for (let n = 0; n < 100; n += 1) recorder.received(append(`${n}`), megabyte)
      for (let n = 0; n < 10; n += 1) {
        const refusal = { type: "invalid_request_error" as const, code: "too_long", message: `${n}`, param: null }
        recorder.refused({ event: { type: "nothing" }, refusal }, megabyte)
      }
      expect(recorder.events).toEqual([
        { type: "response.create" },
        ...Array.from({ length: 53 }, (_, index) => append(`${47 + index}`))
      ])
      expect(recorder.refusals.length).toBe(10)
      expect(yield* recorder.next("response.create")).toEqual({ type: "response.create" })
      expect(yield* recorder.next("input_audio_buffer.append")).toEqual(append("47"))
    })
  )

  it("keeps the newest event, however large it is", () => {
    const recorder = new Recorder(makeMemory())
    recorder.received(append("1"), 40 * megabyte)
    recorder.received(append("2"), 70 * megabyte)
    expect(recorder.events).toEqual([append("2")])
  })

  it("keeps so much of all connections together: a thousand of them are remembered", () => {
    const memory = makeMemory()
    const [first, second] = [new Recorder(memory), new Recorder(memory)]
    for (let n = 0; n < 40; n += 1) first.received(append(`${n}`), megabyte)
    for (let n = 0; n < 60; n += 1) second.received(append(`${n}`), megabyte)
    expect([first.events.length, second.events.length]).toEqual([3, 60])
  })

  it("keeps so many short events of all connections together, the newest, with what each takes besides its text", () => {
    const memory = makeMemory()
    const recorders = Array.from({ length: 30 }, () => new Recorder(memory))
    for (const recorder of recorders) {
      for (let n = 0; n < 20_000; n += 1) recorder.received({ type: "response.create", event_id: `${n}` }, 100)
    }
    const left = recorders.map(({ events }) => events.length)
    expect(left.reduce((sum, one) => sum + one)).toBe(Math.floor((32 * megabyte) / 500))
    expect(left.slice(-3)).toEqual([20_000, 20_000, 20_000])
    expect(recorders[26]?.events.at(-1)).toEqual({ type: "response.create", event_id: "19999" })
  })

  it.effect("gives the events of a type in their order, whoever asks first, and dies at the end", () =>
    Effect.gen(function* () {
      const recorder = new Recorder(makeMemory())
      recorder.received(append("1"), 10)
      recorder.received(append("2"), 1_000)
      recorder.received({ type: "response.create" }, 30)
      recorder.received(append("3"), 10)
      const next = recorder.next("input_audio_buffer.append")
      expect([yield* next, yield* next, yield* next]).toEqual(["1", "2", "3"].map(append))
      const [first, given, last] = [yield* Effect.fork(next), yield* Effect.fork(next), yield* Effect.fork(next)]
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(first)
      recorder.received(append("4"), 10)
      expect(yield* Fiber.join(given)).toEqual(append("4"))
      recorder.end()
      for (const exit of [yield* Fiber.await(last), yield* Effect.exit(next)]) {
        expect(String(exit)).toContain("The connection ended before the client sent a input_audio_buffer.append.")
      }
      expect(yield* recorder.next("response.create"), "what came before is there").toEqual({ type: "response.create" })
    })
  )
})
