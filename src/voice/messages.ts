/**
 * The messages between the library and its worker thread. Each request has an id and gets one reply.
 */
import type { AudioPiece, TurnChange } from "../embedded/TurnDetection.js"
import type { VoiceUnavailableReason } from "./VoiceUnavailable.js"

/**
 * A voice of Flite: American men (`rms`, `kal16`, and `kal` at 8 kHz), an American woman (`slt`), and a Scottish man
 * (`awb`).
 *
 * @since 0.1.0
 * @category options
 */
export type Speaker = "rms" | "slt" | "awb" | "kal16" | "kal"

/**
 * A size of Moonshine. `tiny` takes half as long as `base`, and makes half as many mistakes again.
 *
 * @since 0.1.0
 * @category options
 */
export type Recognizer = "tiny" | "base"

export type Format = AudioPiece["format"]

/** A request to the thread. */
export type Task =
  /** Reads and checks all files, so that later requests need not. */
  | { readonly _tag: "Load"; readonly recognizer: Recognizer }
  | { readonly _tag: "Speak"; readonly clause: string; readonly speaker: Speaker; readonly format: Format }
  /** Finds turns in the next piece of a connection. The first request with a detector's number makes that detector. */
  | {
      readonly _tag: "Detect"
      readonly detector: number
      /** No turn begins before this position. */
      readonly floorMs: number
      readonly piece: AudioPiece
      readonly recognizer: Recognizer
    }
  | { readonly _tag: "Recognize"; readonly audio: Uint8Array; readonly format: Format; readonly recognizer: Recognizer }

/** The outcome of a request. */
export type Outcome =
  | { readonly _tag: "Loaded" }
  /** Encoded in the requested format. */
  | { readonly _tag: "Spoken"; readonly audio: Uint8Array }
  | { readonly _tag: "Detected"; readonly changes: ReadonlyArray<TurnChange> }
  /** The text is empty if no words were recognised. */
  | { readonly _tag: "Recognized"; readonly text: string }
  | { readonly _tag: "Failed"; readonly reason: VoiceUnavailableReason; readonly message: string }

export type Request =
  | { readonly _tag: "Ask"; readonly id: number; readonly task: Task }
  /** Nothing waits for the reply any more. */
  | { readonly _tag: "Cancel"; readonly id: number }
  /** A turn detector is no longer used. */
  | { readonly _tag: "Forget"; readonly detector: number }

export interface Reply {
  readonly id: number
  readonly outcome: Outcome
}
