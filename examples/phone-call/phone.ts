/** The phone number of the agent, on this machine. */
import { type FileSystem, HttpServer, Socket } from "@effect/platform"
import { Deferred, Effect, type Redacted } from "effect"
import type { Agent } from "effect-realtime"
import { type PhoneCall, Recording, TwilioPhone } from "effect-realtime/Telephony"
import WebSocket from "ws"
import type { Timeline } from "./timeline.js"

/** Answers until the scope closes, and records the call. `ended`: when the session of the call is over. */
export const listen = <E, R>(
  agent: Agent.Agent<E, R>,
  authToken: Redacted.Redacted<string>,
  file: string,
  { onEvent, onPhoneEvent }: Timeline
) =>
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const publicUrl = `http://127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`
    const ended = yield* Deferred.make<void>()
    const recording = Recording.toFile(file)
    const options: PhoneCall.Options<E, FileSystem.FileSystem> = {
      onPhoneEvent,
      session: { onEvent },
      record: {
        open: (format) =>
          Effect.zipRight(
            // The last to close is the first that was opened.
            Effect.addFinalizer(() => Deferred.succeed(ended, undefined)),
            recording.open(format)
          )
      }
    }
    const phone = yield* TwilioPhone.make({ authToken, publicUrl, call: () => Effect.succeed({ agent, options }) })
    yield* TwilioPhone.serve(phone)
    return { publicUrl, ended: Deferred.await(ended) }
  })

/** The types of `ws` are not those of browsers. */
export const open = (url: string, headers: Record<string, string>) =>
  Socket.fromWebSocket(Effect.sync(() => new WebSocket(url, { headers }) as unknown as globalThis.WebSocket))
