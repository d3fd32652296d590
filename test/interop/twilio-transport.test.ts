import * as Socket from "@effect/platform/Socket"
import { describe, expect, it } from "@effect/vitest"
import { TwilioRealtimeTransportLayer } from "@openai/agents-extensions"
import { RealtimeAgent, RealtimeSession } from "@openai/agents-realtime"
import * as Effect from "effect/Effect"
import { WebSocket, WebSocketServer } from "ws"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { FakeCaller } from "../../src/Telephony.js"

const { say, script, silentVoice } = EmbeddedRealtime

const pcmu = { type: "audio/pcmu" } as const

interface Bridge {
  readonly port: number
  readonly session: Promise<RealtimeSession>
  readonly close: () => void
}

/** A server that bridges its one media stream to the embedded server, as the SDK's users write it. */
const bridge = (url: string) =>
  Effect.acquireRelease(
    Effect.async<Bridge>((resume) => {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
      const session = new Promise<RealtimeSession>((resolve) => {
        server.once("connection", (twilioWebSocket) => {
          const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket, url, useInsecureApiKey: true })
          const opened = new RealtimeSession(new RealtimeAgent({ name: "clerk", instructions: "Be brief." }), {
            transport,
            model: "gpt-realtime",
            config: { audio: { input: { format: pcmu }, output: { format: pcmu } } }
          })
          opened.connect({ apiKey: "sk-test" }).then(() => resolve(opened))
        })
      })
      server.once("listening", () => {
        const address = server.address()
        const port = typeof address === "object" ? (address?.port ?? 0) : 0
        resume(Effect.succeed({ port, session, close: () => server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

/** Asks again until it holds. */
const until = (condition: Effect.Effect<boolean>) =>
  Effect.sleep("10 millis").pipe(Effect.repeat({ until: () => condition }))

describe("TwilioRealtimeTransportLayer of @openai/agents-extensions", () => {
  it.scopedLive("takes the fake caller for Twilio: plays to it, follows its marks, and clears when it speaks", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        mind: script([[say("x".repeat(100))], [say("Yes?")]]),
        voice: silentVoice()
      })
      const { port, session } = yield* bridge(server.url)
      const socket = yield* Socket.fromWebSocket(
        // The types of `ws` are not those of the DOM.
        Effect.sync(() => new WebSocket(`ws://127.0.0.1:${port}`) as unknown as globalThis.WebSocket)
      )
      const caller = yield* FakeCaller.connect(socket, { starts: false })
      const opened = yield* Effect.promise(() => session)
      yield* caller.start
      opened.transport.sendEvent({ type: "response.create" })
      const has = (tag: string) => Effect.map(caller.commands, (all) => all.some(({ _tag }) => _tag === tag))
      yield* until(Effect.map(caller.waitingMs, (ms) => ms > 3_000))
      yield* Effect.sleep("1200 millis")
      yield* caller.say(new Uint8Array(600 * 8).fill(0x10))
      yield* until(has("Clear"))
      expect(yield* caller.waitingMs).toBe(0)
      expect(yield* caller.problems).toEqual([])
      const connection = yield* server.connection
      const truncated = yield* connection.next("conversation.item.truncate")
      // It counts what its last mark said, and 50 ms more; a piece of this voice is a second long.
      expect([1_050, 2_050]).toContain(truncated.audio_end_ms)
      expect(yield* connection.refused).toEqual([])
      yield* caller.hangUp
      yield* connection.ended
    })
  )
})
