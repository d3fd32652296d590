/**
 * The turn detector of one connection. It has the words of a turn ready when the turn ends: they are recognised during the
 * silence that ends it.
 */
import * as Audio from "../../Audio.js"
import type { AudioPiece, TurnChange, TurnDetectionSettings } from "../../embedded/TurnDetection.js"
import { FRAME, type Listener } from "./Silero.js"
import { samplesOf } from "./samplesOf.js"
import { soundsComplete } from "./soundsComplete.js"
import { FRAME_MS, type Mark, type Stopped, Turns } from "./Turns.js"

/** The longest speech whose words are ready when it ends, in milliseconds: each pause begins its recognition again. */
export const maxReadyMs = 12_000
const MAX_FRAMES = Math.floor(maxReadyMs / FRAME_MS)
/** How much audio is kept for the prefix of a turn, in frames: two seconds. */
const MAX_PREFIX_FRAMES = Math.ceil(2_000 / FRAME_MS)

export interface SileroDetectorOptions {
  readonly listener: Listener
  /** No turn begins before this position. */
  readonly floorMs: number
  /** The position of the first piece. */
  readonly atMs: number
  /** Runs the model when its turn comes. */
  readonly step: (step: () => Promise<number>) => Promise<number | undefined>
  /** Recognises words. No result: they are no longer wanted. */
  readonly recognize: (samples: Float32Array, isWanted: () => boolean) => Promise<string | undefined>
}

/** The words of the turn so far. They are no longer wanted if the user speaks on. */
interface Draft {
  text: Promise<string | undefined>
  isWanted: boolean
  /** Whether these are all words of the turn, and not only the last ones. */
  readonly isWhole: boolean
}

export class SileroDetector {
  readonly #options: SileroDetectorOptions
  readonly #turns: Turns
  #resampler: { readonly format: AudioPiece["format"]; readonly push: Audio.Resampler.Resampler["push"] } | undefined
  /** Samples after the last whole frame. */
  #rest = new Float32Array(0)
  /** The position up to which audio was received. */
  #atMs: number
  /** The last frames of the turn; before a turn, those that may become its prefix. */
  #frames: Array<Float32Array> = []
  #state: "quiet" | "speaking" | "ended" = "quiet"
  #draft: Draft | undefined

  constructor(options: SileroDetectorOptions) {
    this.#options = options
    this.#atMs = options.atMs
    this.#turns = new Turns(options.floorMs, options.atMs)
  }

  async detect(piece: AudioPiece): Promise<ReadonlyArray<TurnChange>> {
    const changes: Array<TurnChange> = []
    this.#turns.skip(Math.max(0, piece.atMs - this.#atMs))
    this.#atMs = piece.atMs + Audio.durationMs({ type: piece.format }, piece.audio.length)
    for (const frame of this.#framesOf(piece)) {
      const probability = await this.#options.step(() => this.#options.listener.probability(frame))
      if (this.#state === "ended") break
      this.#keep(frame)
      const change = await this.#change(this.#turns.frame(probability ?? 0, piece.settings), piece.settings)
      if (change !== undefined) changes.push(change)
    }
    return changes
  }

  /** From now on, audio is ignored, and no words are wanted. */
  end(): void {
    this.#state = "ended"
    this.#discard()
  }

  #framesOf({ audio, format }: AudioPiece): ReadonlyArray<Float32Array> {
    if (this.#resampler?.format !== format) {
      const { push } = Audio.Resampler.make({ from: Audio.sampleRate({ type: format }), to: 16_000 })
      this.#resampler = { format, push }
    }
    const fresh = Audio.toFloat32(this.#resampler.push(samplesOf(audio, format)))
    const samples = new Float32Array(this.#rest.length + fresh.length)
    samples.set(this.#rest)
    samples.set(fresh, this.#rest.length)
    const count = Math.floor(samples.length / FRAME)
    this.#rest = samples.slice(count * FRAME)
    return Array.from({ length: count }, (_, index) => samples.slice(index * FRAME, (index + 1) * FRAME))
  }

  #keep(frame: Float32Array): void {
    this.#frames.push(frame)
    // One more than the maximum shows that there were more.
    const most = this.#state === "speaking" ? MAX_FRAMES + 1 : MAX_PREFIX_FRAMES
    if (this.#frames.length > most) this.#frames.shift()
  }

  async #change(mark: Mark | undefined, settings: TurnDetectionSettings): Promise<TurnChange | undefined> {
    switch (mark?._tag) {
      case undefined:
        return undefined
      case "SpeechStarted":
        this.#state = "speaking"
        this.#frames = this.#frames.slice(-Math.ceil(mark.lengthMs / FRAME_MS))
        return { _tag: "SpeechStarted", startMs: mark.startMs }
      case "SpeechResumed":
        this.#discard()
        return undefined
      case "SpeechPaused":
        // With semantic detection, the last words of long speech are needed too.
        if (this.#frames.length <= MAX_FRAMES || settings.completeMs !== undefined) this.#draft = this.#recognize()
        return undefined
      case "SpeechSettled": {
        const text = await this.#draft?.text
        return text !== undefined && soundsComplete(text) ? this.#stopped(this.#turns.stop()) : undefined
      }
      case "SpeechStopped":
        return this.#stopped(mark)
    }
  }

  async #stopped({ endMs }: Stopped): Promise<TurnChange> {
    const draft = this.#draft
    this.#draft = undefined
    this.#frames = []
    if (this.#state === "speaking") this.#state = "quiet"
    const text = draft?.isWhole === true ? await draft.text : undefined
    if (draft !== undefined) draft.isWanted = false
    return { _tag: "SpeechStopped", endMs, ...(text === undefined ? {} : { text }) }
  }

  #discard(): void {
    if (this.#draft !== undefined) this.#draft.isWanted = false
    this.#draft = undefined
  }

  #recognize(): Draft {
    const samples = new Float32Array(this.#frames.length * FRAME)
    for (const [index, frame] of this.#frames.entries()) samples.set(frame, index * FRAME)
    const isWhole = this.#frames.length <= MAX_FRAMES
    const draft: Draft = { isWanted: true, isWhole, text: Promise.resolve(undefined) }
    // After a failure, the server asks for the words of the whole turn, and gets the reason if that fails too.
    draft.text = this.#options.recognize(samples, () => draft.isWanted).catch(() => undefined)
    return draft
  }
}
