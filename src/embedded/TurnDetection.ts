/**
 * The service of the embedded server that finds the user's turns in audio.
 */
import type * as Effect from "effect/Effect"

/**
 * What counts as a turn, from the session's `turn_detection`.
 *
 * @since 0.1.0
 * @category turn detection
 */
export interface TurnDetectionSettings {
  /** The probability, from 0 to 1, at which sound counts as a voice: `threshold` of `server_vad`. */
  readonly threshold: number
  /** How much of the audio before the voice belongs to the turn, in milliseconds. */
  readonly prefixMs: number
  /** How much silence ends a turn, in milliseconds. */
  readonly silenceMs: number
  /**
   * Only with `semantic_vad`: how much silence ends a turn that sounds complete, in milliseconds. A detector that does not
   * understand words ignores it.
   */
  readonly completeMs?: number
}

/**
 * A piece of the user's audio, of any length. A piece may end in the middle of a sample.
 *
 * @since 0.1.0
 * @category turn detection
 */
export interface AudioPiece {
  readonly audio: Uint8Array
  /** Mono: 16-bit little-endian at 24 kHz (`audio/pcm`), or 8 bits at 8 kHz (G.711). */
  readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma"
  /** Its start time: milliseconds of audio since the session began. */
  readonly atMs: number
  readonly settings: TurnDetectionSettings
}

/**
 * The beginning of a turn, which includes the prefix, or its end, which includes the silence. Times are milliseconds of
 * audio since the session began. With `text`, the detector knows the transcript of the turn, and `transcribe` is not
 * called for it.
 *
 * @since 0.1.0
 * @category turn detection
 */
export type TurnChange =
  | { readonly _tag: "SpeechStarted"; readonly startMs: number }
  | { readonly _tag: "SpeechStopped"; readonly endMs: number; readonly text?: string }

/**
 * Finds the turns of one connection. `detect` gets one piece at a time, in order. If it returns an Effect, the next pieces
 * wait until that Effect ends.
 *
 * @since 0.1.0
 * @category turn detection
 */
export interface TurnDetector {
  readonly detect: (piece: AudioPiece) => ReadonlyArray<TurnChange> | Effect.Effect<ReadonlyArray<TurnChange>>
  /**
   * The buffer was committed or cleared, or the kind of turn detection changed. No later turn begins before `floorMs`, and
   * the result of a piece that `detect` still works on is ignored.
   */
  readonly reset: (floorMs: number) => void
  /** The connection has ended. */
  readonly end: () => void
}

/**
 * @since 0.1.0
 * @category turn detection
 */
export interface TurnDetection {
  /** Makes a detector for a new connection. */
  readonly start: () => TurnDetector
}
