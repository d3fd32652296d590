/**
 * Ears and a voice for the embedded server. It understands the user with Silero VAD and Moonshine, and speaks with Flite. All
 * of this is in English, and in a worker thread. It needs no key and no network, but it needs packages that are not
 * installed with this library. Node only.
 *
 * @example
 * ```ts
 * import { EmbeddedRealtime } from "effect-realtime"
 * import * as EmbeddedVoice from "effect-realtime/EmbeddedVoice"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const parts = yield* EmbeddedVoice.make({ speaker: "slt" })
 *   const server = yield* EmbeddedRealtime.serve({ ...parts, port: 8080 })
 *   yield* Effect.log(server.url)
 *   return yield* Effect.never
 * }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { acquire } from "#voice/thread"
import * as EmbeddedRealtime from "./EmbeddedRealtime.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import type { RealtimeModel } from "./RealtimeModel.js"
import { fliteVoice } from "./voice/FliteVoice.js"
import { moonshineTranscribe } from "./voice/MoonshineTranscribe.js"
import type { Recognizer, Speaker } from "./voice/messages.js"
import { sileroDetection } from "./voice/SileroDetection.js"
import type { VoiceUnavailable } from "./voice/VoiceUnavailable.js"

export { OptionsInvalid } from "./options/OptionsInvalid.js"
export type { Recognizer, Speaker } from "./voice/messages.js"
export { VoiceUnavailable, VoiceUnavailableReason } from "./voice/VoiceUnavailable.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** The speaker. Default: `"rms"`. */
  readonly speaker?: Speaker
  /** The model that recognises words. Default: `"base"`. */
  readonly recognizer?: Recognizer
}

/**
 * Options to add to those of `EmbeddedRealtime.make`, `layer` or `serve`.
 *
 * @since 0.1.0
 * @category models
 */
export interface EmbeddedVoice {
  readonly voice: EmbeddedRealtime.Voice
  readonly turnDetection: EmbeddedRealtime.TurnDetection
  readonly transcribe: EmbeddedRealtime.Transcribe
}

/**
 * Loads the voice, which takes a second or two. All voices of a process share one thread, which ends when the scope of the
 * last one closes. If the thread ends earlier, the responses that it was speaking fail, and the next one starts another.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<EmbeddedVoice, VoiceUnavailable | EmbeddedRealtime.OptionsInvalid, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Rule.validate("EmbeddedVoice.make", rules.voice, options)
    const { recognizer = "base", speaker = "rms" } = options
    const thread = yield* acquire
    yield* thread.ask({ _tag: "Load", recognizer })
    return {
      voice: fliteVoice(thread, speaker),
      turnDetection: sileroDetection(thread, recognizer),
      transcribe: moonshineTranscribe(thread, recognizer)
    }
  })

/**
 * An in-memory server with this voice, as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options & Omit<EmbeddedRealtime.Options, keyof EmbeddedVoice> = {}
): Layer.Layer<RealtimeModel, VoiceUnavailable | EmbeddedRealtime.OptionsInvalid> =>
  Layer.unwrapScoped(Effect.map(make(options), (parts) => EmbeddedRealtime.layer({ ...options, ...parts })))
