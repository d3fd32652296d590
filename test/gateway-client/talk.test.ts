import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import WebSocket from "ws"
import { fromFunction, say } from "../../src/EmbeddedRealtime.js"
import { GatewayClient, Microphone, Speaker, talk } from "../../src/gateway-client.js"
import { secret, serve } from "../gateway/harness.js"
import { browser, samples } from "./browser.js"

const answer = "This answer is long enough to be interrupted while it is being said to the user."

const setUp = Effect.gen(function* () {
  const audio = yield* browser({ sampleRate: 24_000 })
  const { embedded, port } = yield* serve({}, { mind: fromFunction(() => [say(answer)]) })
  const microphone = yield* Microphone.open()
  const client = yield* GatewayClient.connect({
    url: `ws://127.0.0.1:${port}/`,
    token: Redacted.make(secret),
    webSocket: WebSocket
  })
  return { audio, client, microphone, connection: yield* embedded.connection }
})

describe("A page that talks", () => {
  it.scopedLive("sends what the microphone hears", () =>
    Effect.gen(function* () {
      const { audio, client, connection, microphone } = yield* setUp
      yield* talk(client, { microphone })
      for (let block = 0; block < 40; block += 1) audio.hear(samples(128, 0.5))
      const { audio: base64 } = yield* connection.next("input_audio_buffer.append")
      const bytes = Buffer.from(base64, "base64")
      expect(bytes.length).toBeGreaterThan(0)
      expect(bytes.readInt16LE(bytes.length - 2)).toBe(16_384)
    })
  )

  it.scopedLive("has its answer cut where the speaker was when it was interrupted", () =>
    Effect.gen(function* () {
      const { audio, client, connection } = yield* setUp
      const speaker = yield* Speaker.open({ format: client.welcome.output })
      const arrived = yield* Effect.makeLatch()
      const reported = yield* Effect.makeLatch()
      let bytes = 0
      const take = (news: GatewayClient.News) => {
        bytes += news._tag === "Audio" ? news.chunk.bytes.length : 0
        return Effect.zipRight(speaker.take(news), bytes > 2 * 19 * 128 ? arrived.open : Effect.void)
      }
      const reportPlayback = (...report: Parameters<typeof client.reportPlayback>) =>
        Effect.zipRight(client.reportPlayback(...report), reported.open)
      yield* talk({ ...client, reportPlayback }, { speaker: { ...speaker, take } })
      yield* client.sendText("Go on.")
      yield* arrived.await
      // The speaker reports every 100 ms, which is after 19 blocks at first.
      for (let block = 0; block < 19; block += 1) audio.play()
      yield* reported.await
      yield* client.interrupt
      const { audio_end_ms } = yield* connection.next("conversation.item.truncate")
      expect(audio_end_ms).toBe(Math.floor((19 * 128) / 24))
    })
  )
})
