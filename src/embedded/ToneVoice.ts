/** A voice without any package: a tone as long as the sentence would take to say. */
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Audio from "../Audio.js"
import type { Speech, Voice } from "./Voice.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface ToneVoiceOptions {
  /** How long a character takes, in milliseconds. Default: 60, as in unhurried English. */
  readonly msPerCharacter?: number
  /** Pitch in whole hertz. Default: 220. */
  readonly frequency?: number
}

/** Length of a piece, in milliseconds. */
const PIECE_MS = 160
/** A quarter of full scale, about -12 dBFS. */
const PEAK = 8_192
/** Syllables per second, as in unhurried speech. A second contains whole syllables, so it can be repeated. */
const SYLLABLES = 4
/** The end fades out, so that it does not click. */
const FADE_MS = 5

/** One second of the tone, plus the piece that continues after its end. */
const loop = (rate: number, frequency: number): Int16Array => {
  const samples = new Int16Array(rate + (rate * PIECE_MS) / 1_000)
  for (let index = 0; index < samples.length; index++) {
    const seconds = index / rate
    const swell = Math.sin(Math.PI * SYLLABLES * seconds) ** 2
    samples[index] = Math.round(PEAK * swell * Math.sin(2 * Math.PI * frequency * seconds))
  }
  return samples
}

const fadeOut = (samples: Int16Array, rate: number): Int16Array => {
  const length = Math.min(samples.length, (rate * FADE_MS) / 1_000)
  return samples.map((sample, index) => {
    const left = samples.length - index
    return left > length ? sample : Math.round((sample * (left - 1)) / length)
  })
}

/**
 * Hums each sentence: a tone that swells four times per second, as long as the text would take to say, in pieces of 160
 * ms. It is loud enough for voice activity detection. This is the server's default voice.
 *
 * @since 0.1.0
 * @category voices
 */
export const toneVoice = (options: ToneVoiceOptions = {}): Voice => {
  const msPerCharacter = options.msPerCharacter ?? 60
  const frequency = Math.round(options.frequency ?? 220)
  const loops = new Map<number, Int16Array>()
  const loopOf = (rate: number): Int16Array => {
    const known = loops.get(rate) ?? loop(rate, frequency)
    loops.set(rate, known)
    return known
  }
  return {
    speak: (sentence, { format: type }) => {
      const format: Audio.AudioFormat = { type }
      const rate = Audio.sampleRate(format)
      const total = Math.round(sentence.length * msPerCharacter)
      return Stream.unfold(0, (start): Option.Option<readonly [Speech, number]> => {
        if (start >= total) return Option.none()
        const ms = Math.min(PIECE_MS, total - start)
        const from = ((start % 1_000) * rate) / 1_000
        const samples = loopOf(rate).subarray(from, from + (ms * rate) / 1_000)
        const audio = Audio.encode(format, start + ms < total ? samples : fadeOut(samples, rate))
        return Option.some([{ audio, ms }, start + ms])
      })
    }
  }
}
