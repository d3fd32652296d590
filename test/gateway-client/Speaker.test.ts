import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../../src/Audio.js"
import { type GatewayClient, Speaker } from "../../src/gateway-client.js"
import { browser } from "./browser.js"

const chunk = (itemId: string, bytes: Uint8Array): GatewayClient.News => ({
  _tag: "Audio",
  chunk: { responseId: "r", itemId, contentIndex: 0, outOfBand: false, bytes }
})

const pcm16 = (samples: number, value: number): Uint8Array =>
  Audio.encode(Audio.pcm16, new Int16Array(samples).fill(value))

describe("A speaker", () => {
  it.scoped("plays audio at the rate of the session, and reports what was heard less the delay of the device", () =>
    Effect.gen(function* () {
      const { contexts, play } = yield* browser({ baseLatency: 0.005, outputLatency: 0.015 })
      const speaker = yield* Speaker.open({ format: Audio.pcm16 })
      expect(contexts.map(({ sampleRate, state }) => [sampleRate, state])).toEqual([[24_000, "running"]])
      yield* speaker.take(chunk("a", pcm16(4_800, 16_384)))
      expect(new Set(play())).toEqual(new Set([0.5]))
      for (let block = 1; block < 19; block += 1) play()
      const [first] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(speaker.played, 1)))
      expect(first).toEqual({ itemId: "a", contentIndex: 0, heardMs: (19 * 128) / 24 - 20 })
      yield* speaker.take({
        _tag: "Event",
        event: { _tag: "AudioCompleted", responseId: "r", itemId: "a", contentIndex: 0 }
      })
      for (let block = 0; block < 19; block += 1) play()
      const [last] = Chunk.toReadonlyArray(yield* Stream.runCollect(Stream.take(speaker.played, 1)))
      expect(last).toEqual({ itemId: "a", contentIndex: 0, heardMs: "finished" })
    })
  )

  it.scoped("falls silent at once when it is interrupted", () =>
    Effect.gen(function* () {
      const { play } = yield* browser()
      const speaker = yield* Speaker.open()
      yield* speaker.take(chunk("a", pcm16(4_800, 16_384)))
      play()
      yield* speaker.take({
        _tag: "Event",
        event: { _tag: "AudioInterrupted", responseId: "r", itemId: "a", contentIndex: 0, heardMs: 5 }
      })
      yield* speaker.take(chunk("a", pcm16(4_800, 16_384)))
      expect(new Set(play())).toEqual(new Set([0]))
    })
  )

  it.scoped("plays G.711 at its own rate, and ignores bytes that are no audio", () =>
    Effect.gen(function* () {
      const { contexts, play } = yield* browser()
      const telephone = yield* Speaker.open({ format: Audio.pcmu })
      expect(contexts.map(({ sampleRate }) => sampleRate)).toEqual([8_000])
      yield* telephone.take(chunk("a", Audio.silence(Audio.pcmu, 20)))
      expect(new Set(play())).toEqual(new Set([0]))
      const speaker = yield* Speaker.open()
      yield* speaker.take(chunk("b", new Uint8Array(3)))
      expect(new Set(play())).toEqual(new Set([0]))
    })
  )

  it.scoped("uses the device that the user chose", () =>
    Effect.gen(function* () {
      const { sinks } = yield* browser()
      yield* Speaker.open({ deviceId: "spk" })
      expect(sinks).toEqual(["spk"])
    })
  )

  it.scoped("is released with its scope", () =>
    Effect.gen(function* () {
      const { contexts } = yield* browser()
      const speaker = yield* Effect.scoped(Speaker.open())
      expect(contexts.map(({ state }) => state)).toEqual(["closed"])
      yield* Stream.runDrain(speaker.played)
    })
  )

  it.scoped("cannot be opened where there is no browser", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Speaker.open())
      expect(error).toMatchObject({ device: "speaker", reason: "Unsupported" })
      expect(error.message).toMatch(/^The speaker cannot be used\. .* from localhost, in a browser\.$/)
    })
  )
})
