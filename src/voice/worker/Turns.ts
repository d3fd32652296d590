/**
 * Finds turns in the probabilities of voice, one for each frame.
 */
import type { TurnDetectionSettings } from "../../embedded/TurnDetection.js"

/** The length of a frame, in milliseconds: 512 samples at 16 kHz. */
export const FRAME_MS = 32

/** A click is not a voice: this many frames in a row must reach the threshold. */
const ONSET_FRAMES = 3
/** A voice ends this far below the threshold at which it began, because the probability drops within words. */
const HYSTERESIS = 0.15
/** With a low threshold, a voice ends below this probability. */
const LOWEST = 0.01
/**
 * The silence that may be the end of a turn, in milliseconds: longer than the stop within a consonant. The words are
 * recognised from then on, and a user who speaks on discards them. With 160 ms, they are ready within the 500 ms that end
 * a turn by default.
 */
const PAUSE_MS = 160

type State =
  | { readonly _tag: "Quiet"; readonly onset: number }
  | { readonly _tag: "Speaking"; readonly quietMs: number }

const QUIET: State = { _tag: "Quiet", onset: 0 }

export interface Stopped {
  readonly _tag: "SpeechStopped"
  readonly endMs: number
}

/** The change in a frame. Times are milliseconds of audio since the session began. */
export type Mark =
  /** `lengthMs` is the part of the turn before the end of this frame. */
  | { readonly _tag: "SpeechStarted"; readonly startMs: number; readonly lengthMs: number }
  /** This may be the end of the turn. */
  | { readonly _tag: "SpeechPaused" }
  /** With semantic detection: after this much silence, the turn ends if it sounds complete. */
  | { readonly _tag: "SpeechSettled" }
  /** The user speaks on after a pause. */
  | { readonly _tag: "SpeechResumed" }
  | Stopped

export class Turns {
  #state: State = QUIET
  #endMs: number
  #floorMs: number

  /** No turn begins before `floorMs`. The first frame begins at `atMs`. */
  constructor(floorMs: number, atMs: number) {
    this.#floorMs = floorMs
    this.#endMs = atMs
  }

  frame(probability: number, settings: TurnDetectionSettings): Mark | undefined {
    this.#endMs += FRAME_MS
    const { completeMs, silenceMs, threshold } = settings
    const state = this.#state
    if (state._tag === "Quiet") return this.#begin(probability >= threshold ? state.onset + 1 : 0, settings)
    if (probability >= Math.max(LOWEST, threshold - HYSTERESIS)) {
      this.#state = { _tag: "Speaking", quietMs: 0 }
      return state.quietMs >= PAUSE_MS ? { _tag: "SpeechResumed" } : undefined
    }
    const quietMs = state.quietMs + FRAME_MS
    this.#state = { _tag: "Speaking", quietMs }
    if (quietMs >= silenceMs) return this.stop()
    const reaches = (ms: number) => state.quietMs < ms && quietMs >= ms
    if (completeMs !== undefined && reaches(completeMs)) return { _tag: "SpeechSettled" }
    return reaches(PAUSE_MS) ? { _tag: "SpeechPaused" } : undefined
  }

  /** Some audio before the next frame was skipped. */
  skip(ms: number): void {
    this.#endMs += ms
  }

  /** Ends the turn here. */
  stop(): Stopped {
    this.#state = QUIET
    this.#floorMs = this.#endMs
    return { _tag: "SpeechStopped", endMs: Math.round(this.#endMs) }
  }

  #begin(onset: number, { prefixMs }: TurnDetectionSettings): Mark | undefined {
    if (onset < ONSET_FRAMES) {
      this.#state = { _tag: "Quiet", onset }
      return undefined
    }
    this.#state = { _tag: "Speaking", quietMs: 0 }
    const startMs = Math.max(this.#floorMs, this.#endMs - onset * FRAME_MS - prefixMs)
    return { _tag: "SpeechStarted", startMs: Math.round(startMs), lengthMs: this.#endMs - startMs }
  }
}
