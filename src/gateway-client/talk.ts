import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Client } from "./Client.js"
import type { Microphone } from "./Microphone.js"
import type { Speaker } from "./Speaker.js"

/**
 * Connects a call with a microphone and a speaker, until the scope closes: sends what the microphone hears, plays what the
 * model says, and reports what was heard. Leave out the one that you do not have.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { GatewayClient, Microphone, Speaker, talk } from "effect-realtime/gateway-client"
 *
 * export const call = Effect.gen(function* () {
 *   const microphone = yield* Microphone.open()
 *   const client = yield* GatewayClient.connect({ url: "wss://app.example.com/call" })
 *   const speaker = yield* Speaker.open({ format: client.welcome.output })
 *   yield* talk(client, { microphone, speaker })
 *   yield* client.await
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const talk = (
  client: Client,
  { microphone, speaker }: { readonly microphone?: Microphone; readonly speaker?: Speaker }
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (microphone !== undefined) {
      yield* Effect.forkScoped(Stream.runForEach(microphone.audio(client.welcome.input), client.sendAudio))
    }
    if (speaker === undefined) return
    yield* Effect.forkScoped(Stream.runForEach(client.news, speaker.take))
    yield* Effect.forkScoped(
      Stream.runForEach(speaker.played, ({ contentIndex, heardMs, itemId }) =>
        client.reportPlayback(itemId, contentIndex, heardMs)
      )
    )
  })
