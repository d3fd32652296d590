/** How loud audio is, for drawing. */
import * as Either from "effect/Either"
import * as Audio from "../../../Audio.js"
import { levelMs } from "./Entry.js"

const fullScale = 32_768

/** Reads audio in pieces of any length. */
export class Levels {
  readonly #perLevel: number
  #peak = 0
  #count = 0

  constructor(private readonly format: Audio.AudioFormat) {
    this.#perLevel = (Audio.sampleRate(format) * levelMs) / 1_000
  }

  /** The loudest sample, from 0 to 1, of each `levelMs` milliseconds that this piece completes. */
  push(bytes: Uint8Array): ReadonlyArray<number> {
    const levels: Array<number> = []
    for (const sample of Either.getOrElse(Audio.decode(this.format, bytes), () => [])) {
      this.#peak = Math.max(this.#peak, Math.abs(sample))
      this.#count += 1
      if (this.#count < this.#perLevel) continue
      levels.push(Math.round((1_000 * this.#peak) / fullScale) / 1_000)
      this.#peak = 0
      this.#count = 0
    }
    return levels
  }
}
