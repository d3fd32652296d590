import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Audio from "../../src/Audio.js"
import { Microphone } from "../../src/gateway-client.js"
import { browser, exception, samples } from "./browser.js"

describe("A microphone", () => {
  it.scoped("is asked for with echo cancellation, and the device that the user chose", () =>
    Effect.gen(function* () {
      const { constraints } = yield* browser()
      yield* Microphone.open()
      yield* Microphone.open({ deviceId: "mic", echoCancellation: false })
      const common = { autoGainControl: true, noiseSuppression: true, channelCount: 1 }
      expect(constraints).toEqual([
        { audio: { ...common, echoCancellation: true } },
        { audio: { ...common, echoCancellation: false, deviceId: { exact: "mic" } } }
      ])
    })
  )

  it.scoped("gives what it hears in the session's format, whatever the rate of the device", () =>
    Effect.gen(function* () {
      const { hear } = yield* browser({ sampleRate: 44_100 })
      const read = (format: typeof Audio.pcm16) =>
        Effect.gen(function* () {
          const microphone = yield* Microphone.open()
          for (let block = 0; block < 140; block += 1) hear(samples(128, 0.5))
          const chunks = yield* Stream.runCollect(Stream.take(microphone.audio(format), 20))
          return Buffer.concat(Chunk.toReadonlyArray(chunks))
        }).pipe(Effect.scoped)
      const pcm16 = yield* read(Audio.pcm16)
      const ms = Audio.durationMs(Audio.pcm16, pcm16.length)
      expect(ms).toBeGreaterThan(390)
      expect(ms).toBeLessThanOrEqual(400)
      const pcmu = yield* read(Audio.pcmu)
      expect(Audio.durationMs(Audio.pcmu, pcmu.length)).toBeGreaterThan(385)
    })
  )

  it.scoped("keeps the latest second for a reader that is late", () =>
    Effect.gen(function* () {
      const { hear } = yield* browser({ sampleRate: 8_000 })
      const microphone = yield* Microphone.open()
      for (let block = 0; block < 250; block += 1) hear(samples(128, block < 125 ? 0.25 : 0.5))
      const chunks = yield* Stream.runCollect(Stream.take(microphone.audio(Audio.pcmu), 50))
      const heard = new Set(Chunk.toReadonlyArray(chunks).flatMap((chunk) => [...chunk]))
      expect(heard).toEqual(new Set(Audio.encode(Audio.pcmu, Int16Array.of(16_384))))
    })
  )

  it.scoped("gives silence while it is muted", () =>
    Effect.gen(function* () {
      const { tracks } = yield* browser()
      const microphone = yield* Microphone.open()
      yield* microphone.mute(true)
      expect(tracks.map(({ enabled }) => enabled)).toEqual([false])
      yield* microphone.mute(false)
      expect(tracks.map(({ enabled }) => enabled)).toEqual([true])
    })
  )

  it.scoped("ends when its plug is pulled", () =>
    Effect.gen(function* () {
      const { tracks } = yield* browser()
      const microphone = yield* Microphone.open()
      const listening = yield* Effect.fork(Stream.runDrain(microphone.audio(Audio.pcm16)))
      for (const track of tracks) track.unplug()
      yield* microphone.gone
      yield* Fiber.join(listening)
    })
  )

  it.effect("is released with its scope", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { contexts, tracks } = yield* Scope.extend(browser(), scope)
      yield* Effect.scoped(Microphone.open())
      expect(tracks.map(({ readyState }) => readyState)).toEqual(["ended"])
      expect(contexts.map(({ state }) => state)).toEqual(["closed"])
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.scoped("is released if the user allows it after the scope has closed", () =>
    Effect.gen(function* () {
      let allow = (): void => undefined
      const { tracks } = yield* browser({
        ask: () =>
          new Promise((resolve) => {
            allow = resolve
          })
      })
      const opening = yield* Effect.fork(Effect.scoped(Microphone.open()))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(opening)
      expect(tracks.map(({ readyState }) => readyState)).toEqual(["live"])
      allow()
      yield* Effect.promise(() => Promise.resolve())
      yield* Effect.promise(() => Promise.resolve())
      expect(tracks.map(({ readyState }) => readyState)).toEqual(["ended"])
    })
  )

  const refusals = [
    { name: "NotAllowedError", reason: "Denied" },
    { name: "NotFoundError", reason: "NotFound" },
    { name: "OverconstrainedError", reason: "NotFound" },
    { name: "NotReadableError", reason: "Busy" },
    { name: "NotSupportedError", reason: "Unsupported" },
    { name: "AbortError", reason: "Failed" }
  ] as const

  it.scoped.each(refusals)("cannot be opened: $name is $reason", ({ name, reason }) =>
    Effect.gen(function* () {
      yield* browser({ ask: () => Promise.reject(exception(name, "The browser says why.")) })
      const error = yield* Effect.flip(Microphone.open())
      expect(error).toMatchObject({
        _tag: "DeviceError",
        device: "microphone",
        reason,
        detail: "The browser says why."
      })
      expect(error.message).toMatch(/^The microphone cannot be used\. .* \(The browser says why\.\)$/)
    })
  )

  it.scoped("cannot be opened if its worklet cannot be loaded, or the rate of the device is unknown", () =>
    Effect.gen(function* () {
      yield* browser({ sampleRate: 12_345 })
      const odd = yield* Effect.flip(Microphone.open())
      expect(odd).toMatchObject({ reason: "Failed", detail: expect.stringContaining("12345") })
      const missing = yield* Effect.flip(Microphone.open({ workletUrl: "/missing.js" }))
      expect(missing).toMatchObject({ reason: "Failed", detail: "There is nothing at /missing.js." })
    })
  )

  it.scoped("cannot be opened where there is no browser", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(Microphone.open())).toMatchObject({ reason: "Unsupported" })
    })
  )
})
