/**
 * Voice activity detection by loudness. It only counts audio, so it makes no difference how the audio is split into
 * pieces, or how fast it arrives.
 */
import * as Audio from "../Audio.js"
import type { AudioPiece, TurnChange, TurnDetection, TurnDetectionSettings, TurnDetector } from "./TurnDetection.js"

type State =
  | { readonly _tag: "Quiet"; readonly loudMs: number }
  | { readonly _tag: "Speaking"; readonly quietMs: number }

/** The size of a frame, in milliseconds. */
const FRAME_MS = 10
/** A click is not a voice: this much audio must be loud without a break, in milliseconds. */
const ONSET_MS = 50
const QUIET: State = { _tag: "Quiet", loudMs: 0 }

/**
 * The threshold of `server_vad`, from 0 to 1, is a probability on the real API. Here it is a level between -60 dBFS
 * (practically silence) and -20 dBFS (a loud voice); the default of 0.5 is -40 dBFS.
 */
export const levelOf = (threshold: number): number => 10 ** ((-60 + 40 * threshold) / 20)

const CODES = Uint8Array.from({ length: 256 }, (_, code) => code)

/** The energy of each G.711 code. */
const squares = (decode: (codes: Uint8Array) => Int16Array): Float64Array =>
  Float64Array.from(decode(CODES), (sample) => sample ** 2)

const SQUARES = { "audio/pcmu": squares(Audio.decodePcmu), "audio/pcma": squares(Audio.decodePcma) } as const

export class VoiceActivity implements TurnDetector {
  #state: State = QUIET
  #sum = 0
  #bytes = 0
  #low = 0
  /** Audio that was committed or cleared before does not belong to later speech. */
  #floorMs = 0

  /** Forgets what was heard up to `floorMs`. */
  reset(floorMs: number): void {
    this.#state = QUIET
    this.#sum = 0
    this.#bytes = 0
    this.#floorMs = floorMs
  }

  end(): void {
    this.#state = QUIET
  }

  detect({ atMs, audio, format, settings }: AudioPiece): ReadonlyArray<TurnChange> {
    const changes: Array<TurnChange> = []
    const wide = format === "audio/pcm"
    const table = wide ? undefined : SQUARES[format]
    const frameBytes = (FRAME_MS * Audio.bytesPerSecond({ type: format })) / 1_000
    const energy = (frameBytes / (wide ? 2 : 1)) * (levelOf(settings.threshold) * 32_768) ** 2
    let endMs = atMs - (this.#bytes / frameBytes) * FRAME_MS
    for (const byte of audio) {
      if (table !== undefined) this.#sum += table[byte] ?? 0
      else if (this.#bytes % 2 === 0) this.#low = byte
      // The high byte has the sign.
      else this.#sum += (((byte << 24) >> 16) | this.#low) ** 2
      this.#bytes += 1
      if (this.#bytes < frameBytes) continue
      endMs += FRAME_MS
      const change = this.#frame(this.#sum >= energy, endMs, settings)
      if (change !== undefined) changes.push(change)
      this.#sum = 0
      this.#bytes = 0
    }
    return changes
  }

  #frame(loud: boolean, endMs: number, { prefixMs, silenceMs }: TurnDetectionSettings): TurnChange | undefined {
    if (this.#state._tag === "Quiet") {
      const loudMs = loud ? this.#state.loudMs + FRAME_MS : 0
      if (loudMs < ONSET_MS) {
        this.#state = { _tag: "Quiet", loudMs }
        return undefined
      }
      this.#state = { _tag: "Speaking", quietMs: 0 }
      return { _tag: "SpeechStarted", startMs: Math.round(Math.max(this.#floorMs, endMs - loudMs - prefixMs)) }
    }
    const quietMs = loud ? 0 : this.#state.quietMs + FRAME_MS
    if (loud || quietMs < silenceMs) {
      this.#state = { _tag: "Speaking", quietMs }
      return undefined
    }
    this.#state = QUIET
    this.#floorMs = endMs
    return { _tag: "SpeechStopped", endMs: Math.round(endMs) }
  }
}

/** Finds turns without understanding words. */
export const loudness: TurnDetection = { start: () => new VoiceActivity() }
