/**
 * The caller's audio in order and without gaps. Vendors leave frames out, and turn detection would never see silence
 * there. It has no side effects. Times are in milliseconds.
 */
import type { StreamFormat } from "./Codec.js"
import { msIn, silence } from "./Line.js"
import { maxGapMs } from "./limits.js"

/** What to hear next. `gapMs`: how much of `silence` replaces missing audio. */
export interface Heard {
  readonly silence: Uint8Array
  readonly gapMs: number
  readonly bytes: Uint8Array
}

/** After so long without audio, while the caller speaks, silence takes its place. */
const stallMs = 750
/** The gap that frames of 20 ms may have without anything missing: vendors round their timestamps. */
const toleranceMs = 10

/** So many older frames in a row mean that the vendor's clock was set back. */
const maxOlder = 50

export class Inbound {
  /** Where the audio so far ends, on the vendor's clock. */
  #endsAt: number | undefined
  /** Silence that was added since, in place of audio that had not come. */
  #addedMs = 0
  #heardAt: number
  /** How much there was so far, with silence. */
  #totalMs = 0
  #isSpeaking = false
  #older = 0

  constructor(
    private readonly format: StreamFormat,
    private readonly beganAt: number
  ) {
    this.#heardAt = beganAt
  }

  /** @param isSpeaking whether the caller speaks, according to turn detection */
  speaks(isSpeaking: boolean): void {
    this.#isSpeaking = isSpeaking
  }

  /** Audio has come. `undefined` if it is older than what came before. */
  take(bytes: Uint8Array, atMs: number | undefined, now: number): Heard | undefined {
    if (atMs === undefined || !Number.isFinite(atMs)) return this.#next(bytes, 0, now)
    const missing = this.#endsAt === undefined ? 0 : atMs - this.#endsAt
    if (missing < -toleranceMs) {
      this.#older += 1
      if (this.#older < maxOlder) return undefined
    }
    this.#older = 0
    this.#endsAt = atMs + msIn(this.format, bytes.length)
    return this.#next(bytes, missing - this.#addedMs, now)
  }

  /** Silence, if nothing has come for too long while the caller speaks. */
  fill(now: number): Uint8Array | undefined {
    const dueAt = this.fillAt()
    if (dueAt === undefined || now < dueAt) return undefined
    this.#addedMs += stallMs
    this.#totalMs += stallMs
    return silence(this.format, stallMs)
  }

  /** When to call `fill`. */
  fillAt(): number | undefined {
    if (!this.#isSpeaking || this.#addedMs >= maxGapMs) return undefined
    return this.#heardAt + stallMs + this.#addedMs
  }

  #next(bytes: Uint8Array, missing: number, now: number): Heard {
    this.#heardAt = now
    this.#addedMs = 0
    // Timestamps that leap again and again do not make more audio than there was time for.
    const roomMs = Math.max(0, now - this.beganAt + maxGapMs - this.#totalMs)
    const gapMs = missing > toleranceMs ? Math.min(missing, maxGapMs, roomMs) : 0
    this.#totalMs += gapMs + msIn(this.format, bytes.length)
    return { silence: silence(this.format, gapMs), gapMs, bytes }
  }
}
