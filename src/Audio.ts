/**
 * Audio for the Realtime API: formats and durations, base64, PCM16 and G.711, sample rates, levels and WAV files. Pure
 * functions that run anywhere.
 *
 * @example
 * ```ts
 * import { Audio } from "effect-realtime"
 *
 * // a caller's µ-law at 8 kHz, as PCM16 at 24 kHz
 * const resampler = Audio.Resampler.make({ from: 8000, to: 24000 })
 * const toModel = (frame: Uint8Array) => Audio.encodePcm16(resampler.push(Audio.decodePcmu(frame)))
 * ```
 *
 * @since 0.1.0
 * @module
 */
export { decodeBase64, encodeBase64 } from "./audio/Base64.js"
export * from "./audio/Format.js"
export * from "./audio/G711.js"
export * from "./audio/InvalidAudio.js"
export {
  decodePcm16,
  encodePcm16,
  energy,
  fromFloat32,
  level,
  type Pcm16,
  rms,
  toFloat32,
  toMono
} from "./audio/Pcm16.js"
export * as Resampler from "./audio/Resampler.js"
export { resample, type SampleRate, sampleRates, toSampleRate } from "./audio/Resampler.js"
export * as Wav from "./audio/Wav.js"
export { AudioFormat } from "./protocol/SessionConfig.js"
