/** The audio of a stream as the session has it, and back. G.711 passes through; 16-bit samples are resampled. */
import { pcm16, pcma, pcmu, sampleRate } from "../audio/Format.js"
import { decodePcma, decodePcmu } from "../audio/G711.js"
import { encodePcm16, readSamples } from "../audio/Pcm16.js"
import * as Resampler from "../audio/Resampler.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import type { StreamFormat } from "./Codec.js"

/** The duration of a frame, in milliseconds. Vendors send and play such frames. */
export const frameMs = 20

const sampleBytes = ({ encoding }: StreamFormat): number => (encoding === "pcm16" ? 2 : 1)

/** How many bytes of the stream take so many milliseconds, in whole samples. */
export const bytesIn = (format: StreamFormat, ms: number): number =>
  Math.round((format.sampleRate * ms) / 1_000) * sampleBytes(format)

/** Without the byte that a broken frame of 16-bit samples has too many: behind it, all bytes would be in the wrong half. */
export const wholeSamples = (format: StreamFormat, bytes: Uint8Array): Uint8Array =>
  bytes.subarray(0, bytes.length - (bytes.length % sampleBytes(format)))

/** How long so many bytes of the stream take, in milliseconds, with fractions. */
export const msIn = (format: StreamFormat, bytes: number): number =>
  (bytes * 1_000) / (format.sampleRate * sampleBytes(format))

/** Silence: 0xFF in µ-law, 0xD5 in A-law, and 0 in PCM. */
export const silence = (format: StreamFormat, ms: number): Uint8Array =>
  new Uint8Array(bytesIn(format, ms)).fill(silentByte(format))

/** 16-bit samples in the other byte order. */
export const swapped = (bytes: Uint8Array): Uint8Array => {
  const result = new Uint8Array(bytes.length & ~1)
  for (let index = 0; index < result.length; index += 2) {
    result[index] = bytes[index + 1] ?? 0
    result[index + 1] = bytes[index] ?? 0
  }
  return result
}

const silentByte = ({ encoding }: StreamFormat): number => (encoding === "pcmu" ? 0xff : encoding === "pcma" ? 0xd5 : 0)

/** The format of the session: the stream's own, if the API has it. */
export const sessionFormat = ({ encoding }: StreamFormat): AudioFormat =>
  encoding === "pcmu" ? pcmu : encoding === "pcma" ? pcma : pcm16

/** The samples of a stream, at its rate. */
export const samplesOf = ({ encoding }: StreamFormat, bytes: Uint8Array): Int16Array =>
  encoding === "pcmu" ? decodePcmu(bytes) : encoding === "pcma" ? decodePcma(bytes) : readSamples(bytes)

/** Converts one stretch of audio, in order. `end` gives what is left. */
export interface Converter {
  readonly push: (bytes: Uint8Array) => Uint8Array
  readonly end: () => Uint8Array
}

const nothing = new Uint8Array()
const unchanged: Converter = { push: (bytes) => bytes, end: () => nothing }

const resampling = (from: Resampler.SampleRate, to: Resampler.SampleRate): Converter => {
  const resampler = Resampler.make({ from, to })
  return {
    push: (bytes) => encodePcm16(resampler.push(bytes)),
    end: () => encodePcm16(resampler.flush())
  }
}

export const toSession = (format: StreamFormat): Converter =>
  format.encoding === "pcm16" ? resampling(format.sampleRate, sampleRate(pcm16)) : unchanged

export const fromSession = (format: StreamFormat): Converter =>
  format.encoding === "pcm16" ? resampling(sampleRate(pcm16), format.sampleRate) : unchanged
