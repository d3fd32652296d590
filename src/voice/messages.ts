/**
 * The messages between the library and its worker thread. Each request has an id and gets one reply.
 */
import type { VoiceUnavailableReason } from "./VoiceUnavailable.js"

/**
 * A voice of Flite: American men (`rms`, `kal16`, and `kal` at 8 kHz), an American woman (`slt`), and a Scottish man
 * (`awb`).
 *
 * @since 0.1.0
 * @category options
 */
export type Speaker = "rms" | "slt" | "awb" | "kal16" | "kal"

export type Format = "audio/pcm" | "audio/pcmu" | "audio/pcma"

/** A request to the thread. */
export type Task =
  /** Reads and checks all files, so that later requests need not. */
  | { readonly _tag: "Load" }
  | { readonly _tag: "Speak"; readonly clause: string; readonly speaker: Speaker; readonly format: Format }

/** The outcome of a request. */
export type Outcome =
  | { readonly _tag: "Loaded" }
  /** Encoded in the requested format. */
  | { readonly _tag: "Spoken"; readonly audio: Uint8Array }
  | { readonly _tag: "Failed"; readonly reason: VoiceUnavailableReason; readonly message: string }

export type Request =
  | { readonly _tag: "Ask"; readonly id: number; readonly task: Task }
  /** Nothing waits for the reply any more. */
  | { readonly _tag: "Cancel"; readonly id: number }

export interface Reply {
  readonly id: number
  readonly outcome: Outcome
}
