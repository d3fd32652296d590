/**
 * PCM16: signed 16-bit samples, little-endian in bytes on every platform, mono unless stated otherwise.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { InvalidAudio } from "./InvalidAudio.js"

/**
 * PCM16 as samples, or as little-endian bytes at any position in their buffer.
 *
 * @since 0.1.0
 * @category models
 */
export type Pcm16 = Int16Array | Uint8Array

const platformIsLittleEndian = /*#__PURE__*/ new Uint8Array(/*#__PURE__*/ Uint16Array.of(1).buffer)[0] === 1

/** Copies whole samples from bytes. An odd last byte is left out. */
export const readSamples = (bytes: Uint8Array, native: boolean = platformIsLittleEndian): Int16Array => {
  const count = bytes.length >> 1
  const samples = new Int16Array(count)
  if (native) {
    new Uint8Array(samples.buffer).set(bytes.subarray(0, count * 2))
    return samples
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let index = 0; index < count; index++) samples[index] = view.getInt16(index * 2, true)
  return samples
}

/** Copies samples to bytes. */
export const writeSamples = (samples: Int16Array, native: boolean = platformIsLittleEndian): Uint8Array => {
  if (native) return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength).slice()
  const bytes = new Uint8Array(samples.length * 2)
  const view = new DataView(bytes.buffer)
  samples.forEach((sample, index) => {
    view.setInt16(index * 2, sample, true)
  })
  return bytes
}

/** The bytes, or an error if they are not a whole number of samples. */
export const wholeSamples = (bytes: Uint8Array): Either.Either<Uint8Array, InvalidAudio> =>
  bytes.length % 2 === 0
    ? Either.right(bytes)
    : Either.left(
        new InvalidAudio({
          reason: "CutSample",
          message: `${bytes.length} bytes are not a whole number of 16-bit samples. Keep the last byte for the next chunk.`
        })
      )

/**
 * Decodes little-endian bytes to samples in their own memory. Fails if a sample is cut in two.
 *
 * @since 0.1.0
 * @category PCM16
 */
export const decodePcm16 = (bytes: Uint8Array): Either.Either<Int16Array, InvalidAudio> =>
  Either.map(wholeSamples(bytes), (whole) => readSamples(whole))

/**
 * Encodes samples as little-endian bytes in their own memory.
 *
 * @since 0.1.0
 * @category PCM16
 */
export const encodePcm16 = (samples: Int16Array): Uint8Array => writeSamples(samples)

/** Full scale: samples from -32,768 to 32,767 stand for -1 to just under 1. */
const FULL_SCALE = 32_768

/**
 * Converts samples to floats from -1 to 1, as the Web Audio API and most models use them.
 *
 * @since 0.1.0
 * @category PCM16
 */
export const toFloat32 = (samples: Int16Array): Float32Array => {
  const floats = new Float32Array(samples.length)
  for (let index = 0; index < floats.length; index++) floats[index] = (samples[index] ?? 0) / FULL_SCALE
  return floats
}

/** The nearest sample. Values beyond full scale are clipped, and NaN is silence. */
export const quantize = (value: number): number =>
  Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(value * FULL_SCALE)))

/**
 * Converts floats to the nearest 16-bit samples. Values beyond full scale are clipped, and NaN is silence.
 *
 * @since 0.1.0
 * @category PCM16
 */
export const fromFloat32 = (floats: Float32Array): Int16Array => {
  const samples = new Int16Array(floats.length)
  for (let index = 0; index < samples.length; index++) samples[index] = quantize(floats[index] ?? 0)
  return samples
}

/**
 * Mixes interleaved channels to one, by their mean. `channels` is 1 or more. An incomplete last frame is left out.
 *
 * @since 0.1.0
 * @category PCM16
 */
export const toMono = (samples: Int16Array, channels: number): Int16Array => {
  const mono = new Int16Array(Math.floor(samples.length / channels))
  for (let frame = 0; frame < mono.length; frame++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += samples[frame * channels + channel] ?? 0
    mono[frame] = Math.round(sum / channels)
  }
  return mono
}

/**
 * The mean square of the samples, from 0 (silence, or no samples) to 1 (a square wave at full scale). A voice activity
 * detector based on energy compares it with a threshold.
 *
 * @since 0.1.0
 * @category level
 */
export const energy = (pcm: Pcm16): number => {
  let sum = 0
  let count = pcm.length
  if (pcm instanceof Int16Array) {
    for (let index = 0; index < count; index++) sum += (pcm[index] ?? 0) ** 2
  } else {
    const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength)
    count = pcm.length >> 1
    for (let index = 0; index < count; index++) sum += view.getInt16(index * 2, true) ** 2
  }
  return count === 0 ? 0 : sum / count / (FULL_SCALE * FULL_SCALE)
}

/**
 * The root mean square of the samples, from 0 to 1.
 *
 * @since 0.1.0
 * @category level
 */
export const rms = (pcm: Pcm16): number => Math.sqrt(energy(pcm))

/**
 * The level in dB relative to a square wave at full scale (dBFS): -3.01 for a sine at full scale, -Infinity for silence.
 *
 * @since 0.1.0
 * @category level
 */
export const level = (pcm: Pcm16): number => 10 * Math.log10(energy(pcm))
