/**
 * The three audio formats of the Realtime API, their sizes and durations, and checks of audio before it is sent.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from "./G711.js"
import { InvalidAudio } from "./InvalidAudio.js"
import { decodePcm16, encodePcm16, wholeSamples } from "./Pcm16.js"

/**
 * `audio/pcm`: 16-bit signed little-endian, mono, 24,000 samples per second; 48,000 bytes per second. The API's default
 * in both directions.
 *
 * @since 0.1.0
 * @category formats
 */
export const pcm16: AudioFormat = { type: "audio/pcm", rate: 24000 }

/**
 * `audio/pcmu`: G.711 µ-law, 8-bit, mono, 8,000 samples (and bytes) per second.
 *
 * @since 0.1.0
 * @category formats
 */
export const pcmu: AudioFormat = { type: "audio/pcmu" }

/**
 * `audio/pcma`: G.711 A-law, 8-bit, mono, 8,000 samples (and bytes) per second.
 *
 * @since 0.1.0
 * @category formats
 */
export const pcma: AudioFormat = { type: "audio/pcma" }

/**
 * The format of a session whose agent does not choose one: `pcm16`.
 *
 * @since 0.1.0
 * @category formats
 */
export const defaultFormat: AudioFormat = pcm16

/**
 * The format with this type, and this rate in samples per second, if you give it.
 *
 * @since 0.1.0
 * @category formats
 */
export const formatOf = (type: string, rate?: number): Either.Either<AudioFormat, InvalidAudio> => {
  const known = [pcm16, pcmu, pcma].find((format) => format.type === type)
  if (known === undefined) {
    return Either.left(
      new InvalidAudio({
        reason: "Format",
        message: `The Realtime API has no audio format ${JSON.stringify(type)}. Use audio/pcm, audio/pcmu or audio/pcma.`
      })
    )
  }
  if (rate !== undefined && rate !== sampleRate(known)) {
    return Either.left(
      new InvalidAudio({
        reason: "Rate",
        message: `${type} has ${sampleRate(known)} samples per second, not ${rate}. Resample the audio first.`
      })
    )
  }
  return Either.right(known)
}

/**
 * Samples per second.
 *
 * @since 0.1.0
 * @category arithmetic
 */
export const sampleRate = (format: AudioFormat): 24000 | 8000 => (format.type === "audio/pcm" ? 24000 : 8000)

/**
 * Bytes per sample.
 *
 * @since 0.1.0
 * @category arithmetic
 */
export const bytesPerSample = (format: AudioFormat): 1 | 2 => (format.type === "audio/pcm" ? 2 : 1)

/**
 * Bytes per second: 48,000 for `audio/pcm`, 8,000 for G.711.
 *
 * @since 0.1.0
 * @category arithmetic
 */
export const bytesPerSecond = (format: AudioFormat): number => sampleRate(format) * bytesPerSample(format)

/**
 * The duration of this many bytes, in milliseconds, with fractions.
 *
 * @since 0.1.0
 * @category arithmetic
 */
export const durationMs = (format: AudioFormat, bytes: number): number => (bytes * 1000) / bytesPerSecond(format)

/**
 * The number of bytes for this many milliseconds, to the nearest whole sample; 0 for negative durations.
 *
 * @since 0.1.0
 * @category arithmetic
 */
export const bytesOf = (format: AudioFormat, ms: number): number =>
  Math.max(0, Math.round((ms * sampleRate(format)) / 1000)) * bytesPerSample(format)

/**
 * Silence of this many milliseconds: zeros in PCM16, 0xFF in µ-law, 0xD5 in A-law.
 *
 * @since 0.1.0
 * @category formats
 */
export const silence = (format: AudioFormat, ms: number): Uint8Array =>
  new Uint8Array(bytesOf(format, ms)).fill(format.type === "audio/pcm" ? 0 : format.type === "audio/pcmu" ? 0xff : 0xd5)

/**
 * Decodes bytes in this format to samples at the format's own rate. Fails if a sample is cut in two.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode = (format: AudioFormat, bytes: Uint8Array): Either.Either<Int16Array, InvalidAudio> => {
  switch (format.type) {
    case "audio/pcm":
      return decodePcm16(bytes)
    case "audio/pcmu":
      return Either.right(decodePcmu(bytes))
    case "audio/pcma":
      return Either.right(decodePcma(bytes))
  }
}

/**
 * Encodes samples in this format. They must already have the format's rate.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (format: AudioFormat, samples: Int16Array): Uint8Array => {
  switch (format.type) {
    case "audio/pcm":
      return encodePcm16(samples)
    case "audio/pcmu":
      return encodePcmu(samples)
    case "audio/pcma":
      return encodePcma(samples)
  }
}

/**
 * The maximum bytes of one `input_audio_buffer.append`: 11,796,480, about four minutes of PCM16. The API's limit is 15
 * MiB per event (API reference, `input_audio_buffer.append`). This assumes that the limit counts the base64, which is a
 * third longer.
 *
 * @since 0.1.0
 * @category sending
 */
export const maxAppendBytes: number = ((15 * 1024 * 1024) / 4) * 3

/** The same value, if it is bytes. Other typed arrays would be sent as noise, with each sample cut to one byte. */
export const asBytes = (value: unknown): Either.Either<Uint8Array, InvalidAudio> =>
  isBytes(value)
    ? Either.right(value)
    : Either.left(
        new InvalidAudio({
          reason: "NotBytes",
          message:
            "Send audio as bytes, in a Uint8Array. Audio.encodePcm16 makes them from samples (Int16Array), and Audio.decodeBase64 from base64."
        })
      )

/** Bytes of another realm, such as a worker's, also count. */
const isBytes = (value: unknown): value is Uint8Array =>
  Object.prototype.toString.call(value) === "[object Uint8Array]" && ArrayBuffer.isView(value)

/**
 * The same bytes, if one `input_audio_buffer.append` can carry them: whole samples, and at most `maxAppendBytes`.
 *
 * @since 0.1.0
 * @category sending
 */
export const validate = (format: AudioFormat, bytes: Uint8Array): Either.Either<Uint8Array, InvalidAudio> => {
  if (bytes.length > maxAppendBytes) {
    return Either.left(
      new InvalidAudio({
        reason: "TooLarge",
        message: `${bytes.length} bytes are more than one append takes (${maxAppendBytes}). Use Audio.split first.`
      })
    )
  }
  return format.type === "audio/pcm" ? wholeSamples(bytes) : Either.right(bytes)
}

/**
 * Splits bytes into views of at most `maxBytes` (default `maxAppendBytes`), in order, without copying. The cuts are at
 * even positions, so that 16-bit samples are not cut: an odd `maxBytes` counts as one less, and the minimum is 2.
 *
 * @since 0.1.0
 * @category sending
 */
export const split = (bytes: Uint8Array, maxBytes: number = maxAppendBytes): ReadonlyArray<Uint8Array> => {
  const size = Math.max(2, Math.floor(Math.min(maxBytes, bytes.length + 1) / 2) * 2 || 0)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size)
  )
}
