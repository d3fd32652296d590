/** Audio between the session's format and Gemini's: 16 kHz in, 24 kHz out, PCM16 in little-endian both ways. */
import * as Either from "effect/Either"
import * as Audio from "../Audio.js"

export const inputRate = 16_000

/** The user's audio on its way to Gemini. */
export class Microphone {
  readonly #format: Audio.AudioFormat
  readonly #resampler: Audio.Resampler.Resampler
  /** How much was sent, in milliseconds. */
  #ms = 0

  constructor(format: Audio.AudioFormat) {
    this.#format = format
    this.#resampler = Audio.Resampler.make({ from: Audio.sampleRate(format), to: inputRate })
  }

  get ms(): number {
    return Math.round(this.#ms)
  }

  /** Base64 in, base64 out. `undefined`: it is not audio in this format. */
  convert(audio: string): string | undefined {
    const bytes = Audio.decodeBase64(audio)
    const samples = Either.flatMap(bytes, (bytes) => Audio.decode(this.#format, bytes))
    if (Either.isLeft(samples)) return undefined
    this.#ms += (samples.right.length * 1_000) / Audio.sampleRate(this.#format)
    return Audio.encodeBase64(Audio.encodePcm16(this.#resampler.push(samples.right)))
  }
}

/** The model's speech on its way to the session, part by part. */
export class Voice {
  readonly #format: Audio.AudioFormat
  #resampler: { readonly from: number; readonly of: Audio.Resampler.Resampler } | undefined

  constructor(format: Audio.AudioFormat) {
    this.#format = format
  }

  /** Base64 in, base64 out. `undefined`: it is not audio, or its rate is not supported. */
  convert(data: string, rate: number): string | undefined {
    if (this.#format.type === "audio/pcm" && rate === 24_000) return data
    const from = Audio.toSampleRate(rate)
    const samples = Either.flatMap(Audio.decodeBase64(data), Audio.decodePcm16)
    if (Either.isLeft(samples) || Either.isLeft(from)) return undefined
    if (this.#resampler?.from !== rate) {
      this.#resampler = {
        from: rate,
        of: Audio.Resampler.make({ from: from.right, to: Audio.sampleRate(this.#format) })
      }
    }
    return this.#encoded(this.#resampler.of.push(samples.right))
  }

  /** What is left at the end of a part; empty if nothing is. */
  flush(): string {
    const rest = this.#resampler?.of.flush()
    this.#resampler = undefined
    return rest === undefined ? "" : this.#encoded(rest)
  }

  #encoded(samples: Int16Array): string {
    return samples.length === 0 ? "" : Audio.encodeBase64(Audio.encode(this.#format, samples))
  }
}
