/**
 * Changes the sample rate of a stream of PCM16: a polyphase FIR filter, a windowed sinc with a Kaiser window.
 *
 * It has linear phase and a signal-to-noise ratio above 80 dB, and frequencies that the lower rate cannot carry do not
 * alias. It is flat up to 0.86 of half the lower rate: 3.4 kHz at 8 kHz (the telephone's band), 10.4 kHz at 24 kHz.
 * Output is aligned with input: output k is the signal at the time of input k * from / to. For that, the resampler
 * holds back 48 samples of the lower rate (6 ms at 8 kHz, 2 ms at 24 kHz) until it gets more input or is flushed.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { InvalidAudio } from "./InvalidAudio.js"
import type { Pcm16 } from "./Pcm16.js"

/**
 * The sample rates of telephones, speech models, sound cards and files.
 *
 * @since 0.1.0
 * @category sample rates
 */
export const sampleRates = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000] as const

/**
 * @since 0.1.0
 * @category sample rates
 */
export type SampleRate = (typeof sampleRates)[number]

/**
 * Checks a sample rate from outside, such as a file's: it must be one of `sampleRates`.
 *
 * @since 0.1.0
 * @category sample rates
 */
export const toSampleRate = (rate: number): Either.Either<SampleRate, InvalidAudio> => {
  const known = sampleRates.find((candidate) => candidate === rate)
  return known === undefined
    ? Either.left(
        new InvalidAudio({
          reason: "Rate",
          message: `${rate} samples per second cannot be resampled. Use audio at one of these rates: ${sampleRates.join(", ")}.`
        })
      )
    : Either.right(known)
}

/** Half the filter's length, in samples of the lower rate. It makes the transition band 0.134 of half that rate. */
const HALF_LENGTH = 48

/** Ripple and stop band, in dB: slightly better than 16 bits (98 dB for a sine at full scale). */
const ATTENUATION_DB = 100

/**
 * Kaiser's formulas (J. F. Kaiser, 1974): the window's shape, and the transition band as a fraction of half the rate.
 */
const BETA = 0.1102 * (ATTENUATION_DB - 8.7)
const TRANSITION = (ATTENUATION_DB - 7.95) / (2.285 * 2 * HALF_LENGTH * Math.PI)

/** The modified Bessel function of the first kind, order 0, computed as a power series. */
const bessel0 = (x: number): number => {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2
    sum += term
  }
  return sum
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x))

/** The filter, split into one row of taps for each position of an output between two inputs. */
interface Filter {
  /** The rates in lowest terms: `up` outputs for `down` inputs. */
  readonly up: number
  readonly down: number
  /** How many inputs an output needs to its right. To its left, it needs one less, plus the input at or before it. */
  readonly half: number
  readonly rows: ReadonlyArray<Float64Array>
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

const design = (from: SampleRate, to: SampleRate): Filter => {
  const divisor = gcd(from, to)
  const up = to / divisor
  const down = from / divisor
  // For equal rates, nothing is filtered: the sinc alone is 1 at its middle and 0 at every other sample.
  const band = from === to ? 1 : (1 - TRANSITION / 2) * Math.min(1, to / from)
  const length = from === to ? 2 : HALF_LENGTH * Math.max(1, from / to)
  // Even, because the inner loop takes four taps at a time.
  const half = Math.ceil(length / 2) * 2
  const peak = bessel0(BETA)
  const kernel = (t: number): number =>
    Math.abs(t) >= length ? 0 : (sinc(band * t) * bessel0(BETA * Math.sqrt(1 - (t / length) ** 2))) / peak
  const rows = Array.from({ length: up }, (_, phase) => {
    const row = Float64Array.from({ length: 2 * half }, (_, tap) => kernel(phase / up - (tap - half + 1)))
    const sum = row.reduce((total, tap) => total + tap, 0)
    return row.map((tap) => tap / sum)
  })
  return { up, down, half, rows }
}

/** Sessions share filters: at most one for each pair of rates, 1 kB to 1 MB. */
const filters = /*#__PURE__*/ new Map<string, Filter>()

const filterOf = (from: SampleRate, to: SampleRate): Filter => {
  const key = `${from}:${to}`
  const known = filters.get(key)
  if (known !== undefined) return known
  const filter = design(from, to)
  filters.set(key, filter)
  return filter
}

/**
 * A resampler for one stream. It is mutable: it has one owner, and takes chunks in order.
 *
 * @since 0.1.0
 * @category resampling
 */
export interface Resampler {
  readonly from: SampleRate
  readonly to: SampleRate
  /**
   * Takes a chunk of any size, and returns the samples that are now known, in their own memory. All outputs together
   * are the same however the input was split, even in the middle of a sample: an odd byte waits for the next bytes.
   */
  readonly push: (pcm: Pcm16) => Int16Array
  /**
   * Ends the stream and returns the rest, so that n samples have become round(n * to / from). Half a sample at the end
   * is dropped. Afterwards, the resampler is like new.
   */
  readonly flush: () => Int16Array
}

/** Inputs are filtered in blocks of this size, so that the work space stays small for any chunk. */
const BLOCK = 1024

class Polyphase implements Resampler {
  readonly #filter: Filter
  /** Inputs that are still needed, oldest first. */
  readonly #work: Float64Array
  #filled = 0
  /** The position in the work space where the next output's taps begin, and their row. */
  #at = 0
  #phase = 0
  #received = 0
  #produced = 0
  /** The first byte of a sample whose second byte has not arrived. */
  #odd: number | undefined

  constructor(
    readonly from: SampleRate,
    readonly to: SampleRate
  ) {
    this.#filter = filterOf(from, to)
    this.#work = new Float64Array(4 * this.#filter.half + BLOCK)
    this.#reset()
  }

  readonly push = (pcm: Pcm16): Int16Array => {
    if (pcm instanceof Int16Array) {
      const output = this.#expect(pcm.length)
      let written = 0
      for (let start = 0; start < pcm.length; start += BLOCK) {
        const count = Math.min(BLOCK, pcm.length - start)
        this.#makeRoom(count)
        for (let index = 0; index < count; index++) this.#work[this.#filled + index] = pcm[start + index] ?? 0
        this.#filled += count
        written = this.#drain(output, written)
      }
      return output
    }
    return this.#pushBytes(pcm)
  }

  readonly flush = (): Int16Array => {
    const { up, down, half } = this.#filter
    const output = new Int16Array(Math.round((this.#received * up) / down) - this.#produced)
    this.#makeRoom(half)
    this.#work.fill(0, this.#filled, this.#filled + half)
    this.#filled += half
    this.#drain(output, 0)
    this.#reset()
    return output
  }

  #pushBytes(bytes: Uint8Array): Int16Array {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const odd = this.#odd
    const total = (bytes.length + (odd === undefined ? 0 : 1)) >> 1
    const output = this.#expect(total)
    let offset = 0
    let written = 0
    let taken = 0
    if (odd !== undefined && bytes.length > 0) {
      this.#makeRoom(1)
      this.#work[this.#filled++] = (view.getInt8(0) << 8) | odd
      this.#odd = undefined
      offset = 1
      taken = 1
      written = this.#drain(output, written)
    }
    while (taken < total) {
      const count = Math.min(BLOCK, total - taken)
      this.#makeRoom(count)
      for (let index = 0; index < count; index++) {
        this.#work[this.#filled + index] = view.getInt16(offset + 2 * index, true)
      }
      this.#filled += count
      taken += count
      offset += 2 * count
      written = this.#drain(output, written)
    }
    if (offset < bytes.length) this.#odd = bytes[offset]
    return output
  }

  /** Counts the inputs of a chunk, and creates the array for the outputs that will be known after them. */
  #expect(count: number): Int16Array {
    const { up, down, half } = this.#filter
    this.#received += count
    const known = Math.max(0, Math.ceil(((this.#received - half) * up) / down))
    const output = new Int16Array(known - this.#produced)
    this.#produced = known
    return output
  }

  #makeRoom(count: number): void {
    if (this.#filled + count <= this.#work.length) return
    this.#work.copyWithin(0, this.#at, this.#filled)
    this.#filled -= this.#at
    this.#at = 0
  }

  /** Computes outputs until the inputs are used up or the array is full. */
  #drain(output: Int16Array, start: number): number {
    const { up, down, half, rows } = this.#filter
    const work = this.#work
    const taps = 2 * half
    const rest = down % up
    const step = (down - rest) / up
    const last = this.#filled - taps
    let written = start
    let at = this.#at
    let phase = this.#phase
    while (at <= last && written < output.length) {
      output[written++] = Math.max(-32_768, Math.min(32_767, Math.round(dot(rows[phase], work, at, taps))))
      at += step
      phase += rest
      if (phase >= up) {
        phase -= up
        at++
      }
    }
    this.#at = at
    this.#phase = phase
    return written
  }

  #reset(): void {
    // Before the stream, there is silence.
    this.#filled = this.#filter.half - 1
    this.#work.fill(0, 0, this.#filled)
    this.#at = 0
    this.#phase = 0
    this.#received = 0
    this.#produced = 0
    this.#odd = undefined
  }
}

/** Four sums in parallel: a single sum would have to wait for each addition before the next. */
const dot = (row: Float64Array | undefined, work: Float64Array, at: number, taps: number): number => {
  if (row === undefined) return 0
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let tap = 0; tap < taps; tap += 4) {
    a += (row[tap] ?? 0) * (work[at + tap] ?? 0)
    b += (row[tap + 1] ?? 0) * (work[at + tap + 1] ?? 0)
    c += (row[tap + 2] ?? 0) * (work[at + tap + 2] ?? 0)
    d += (row[tap + 3] ?? 0) * (work[at + tap + 3] ?? 0)
  }
  return a + b + (c + d)
}

/**
 * Makes a resampler for one stream of mono PCM16. Equal rates pass through unchanged.
 *
 * @example
 * ```ts
 * import { Audio } from "effect-realtime"
 *
 * export const toModel = (microphone: ReadonlyArray<Int16Array>): ReadonlyArray<Int16Array> => {
 *   const resampler = Audio.Resampler.make({ from: 48000, to: 24000 })
 *   return [...microphone.map((chunk) => resampler.push(chunk)), resampler.flush()]
 * }
 * ```
 *
 * @since 0.1.0
 * @category resampling
 */
export const make = (options: { readonly from: SampleRate; readonly to: SampleRate }): Resampler =>
  new Polyphase(options.from, options.to)

/**
 * Resamples a whole recording: n samples become round(n * to / from).
 *
 * @since 0.1.0
 * @category resampling
 */
export const resample = (pcm: Pcm16, from: SampleRate, to: SampleRate): Int16Array => {
  const resampler = make({ from, to })
  const body = resampler.push(pcm)
  const rest = resampler.flush()
  const all = new Int16Array(body.length + rest.length)
  all.set(body)
  all.set(rest, body.length)
  return all
}
