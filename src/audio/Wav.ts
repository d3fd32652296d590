/**
 * WAV files (RIFF/WAVE): written as PCM16, read in the encodings that are common for recordings of speech. Reading
 * tolerates what recorders, streams and broken downloads do to files, and never throws.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { decodePcma, decodePcmu } from "./G711.js"
import { InvalidAudio } from "./InvalidAudio.js"
import { encodePcm16, quantize, readSamples } from "./Pcm16.js"

/**
 * A recording: 16-bit samples, with the samples of one frame next to each other.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wav {
  /** Frames per second. Files may have any rate; `toSampleRate` says whether it can be resampled. */
  readonly sampleRate: number
  readonly channels: number
  /** Interleaved; a whole number of frames. */
  readonly samples: Int16Array
}

/**
 * PCM16 as samples or as little-endian bytes. `channels`: 1 by default.
 *
 * @since 0.1.0
 * @category models
 */
export type EncodeOptions = { readonly sampleRate: number; readonly channels?: number } & (
  | { readonly samples: Int16Array }
  | { readonly bytes: Uint8Array }
)

/** RIFF header, format chunk and the header of the data chunk (Microsoft and IBM, Multimedia Programming Interface 1.0). */
const HEADER_BYTES = 44

/** The format tags in mmreg.h. */
const PCM = 1
const FLOAT = 3
const A_LAW = 6
const MU_LAW = 7
const EXTENSIBLE = 0xfffe

/** With 32-bit and with 64-bit sizes. The ITU's name for the second form is the last one (BS.2088). */
const forms: ReadonlySet<string> = new Set(["RIFF", "RF64", "BW64"])

const ascii = (bytes: Uint8Array, offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 4))

/**
 * The 44 bytes before the data of a file of PCM16, for one that is written piece by piece. `dataBytes`: the length of the
 * data. A writer that does not know it yet writes 0, and the whole header again at the end.
 *
 * @since 0.1.0
 * @category conversions
 */
export const header = (options: {
  readonly sampleRate: number
  readonly channels?: number
  readonly dataBytes: number
}): Uint8Array => {
  const { channels = 1, dataBytes, sampleRate } = options
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const put = (offset: number, id: string) => {
    for (let index = 0; index < 4; index++) bytes[offset + index] = id.charCodeAt(index)
  }
  put(0, "RIFF")
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true)
  put(8, "WAVE")
  put(12, "fmt ")
  view.setUint32(16, 16, true)
  view.setUint16(20, PCM, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, sampleRate * channels * 2, true)
  view.setUint16(32, channels * 2, true)
  view.setUint16(34, 16, true)
  put(36, "data")
  view.setUint32(40, dataBytes, true)
  return bytes
}

/**
 * Writes a file of PCM16. An odd last byte is left out.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (options: EncodeOptions): Uint8Array => {
  const { sampleRate, channels = 1 } = options
  const data =
    "samples" in options ? encodePcm16(options.samples) : options.bytes.subarray(0, options.bytes.length & ~1)
  const file = new Uint8Array(HEADER_BYTES + data.length)
  file.set(header({ sampleRate, channels, dataBytes: data.length }))
  file.set(data, HEADER_BYTES)
  return file
}

interface Format {
  readonly encoding: number
  readonly channels: number
  readonly sampleRate: number
  /** Bits per sample. The container has as many whole bytes as they need. */
  readonly bits: number
}

const readFormat = (chunk: DataView): Format | undefined => {
  if (chunk.byteLength < 16) return undefined
  const tag = chunk.getUint16(0, true)
  return {
    // In the extensible form, the tag that counts is at the start of the sub-format's id.
    encoding: tag === EXTENSIBLE && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : tag,
    channels: chunk.getUint16(2, true),
    sampleRate: chunk.getUint32(4, true),
    bits: chunk.getUint16(14, true)
  }
}

/** A placeholder for a size that a writer to a pipe does not know, or that is stored with 64 bits in another chunk. */
const UNKNOWN = 0xffffffff

/**
 * The length of the data. A writer that was killed leaves zero there, and a file header that claims that nothing
 * follows. For a finished recording that is empty, the header has the length of the rest of the file.
 */
const dataSize = (view: DataView, start: number, size: number, longSize: number | undefined): number => {
  if (size === UNKNOWN) return longSize ?? Number.POSITIVE_INFINITY
  const form = view.getUint32(4, true)
  return size === 0 && (form === UNKNOWN || 8 + form <= start) ? Number.POSITIVE_INFINITY : size
}

/** The size of the data in the 64-bit form (EBU Tech 3306), unless its writer did not get to writing it. */
const readLongSize = (chunk: DataView): number | undefined => {
  const size = chunk.byteLength < 16 ? 0 : Number(chunk.getBigUint64(8, true))
  return size === 0 ? undefined : size
}

/** Finds the format and the data, whatever other chunks there are. A size that exceeds the file is ignored. */
const findChunks = (file: Uint8Array, view: DataView) => {
  let format: Format | undefined
  let data: Uint8Array | undefined
  let longSize: number | undefined
  let offset = 12
  while (offset + 8 <= file.length && (format === undefined || data === undefined)) {
    const id = ascii(file, offset)
    const claimed = view.getUint32(offset + 4, true)
    const start = offset + 8
    const size = id === "data" ? dataSize(view, start, claimed, longSize) : claimed
    const end = Math.min(file.length, start + size)
    const body = new DataView(file.buffer, file.byteOffset + start, end - start)
    if (id === "fmt " && format === undefined) format = readFormat(body)
    if (id === "ds64") longSize = readLongSize(body)
    if (id === "data" && data === undefined) data = file.subarray(start, end)
    // Chunks begin at even positions; some writers forget the padding byte.
    offset = size % 2 === 1 && file[end] === 0 ? end + 1 : end
  }
  return { format, data }
}

/** Reads each sample of `width` bytes with `read`. */
const mapSamples = (data: Uint8Array, width: number, read: (view: DataView, offset: number) => number): Int16Array => {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const samples = new Int16Array(Math.floor(data.length / width))
  for (let index = 0; index < samples.length; index++) samples[index] = read(view, index * width)
  return samples
}

const readData = (data: Uint8Array, { encoding, bits }: Format): Int16Array | undefined => {
  switch (encoding) {
    case PCM:
      switch (Math.ceil(bits / 8)) {
        case 1:
          return mapSamples(data, 1, (view, offset) => (view.getUint8(offset) - 128) << 8)
        case 2:
          return readSamples(data)
        case 3:
          return mapSamples(data, 3, (view, offset) => view.getInt16(offset + 1, true))
        case 4:
          return mapSamples(data, 4, (view, offset) => view.getInt16(offset + 2, true))
        default:
          return undefined
      }
    case FLOAT:
      if (bits === 32) return mapSamples(data, 4, (view, offset) => quantize(view.getFloat32(offset, true)))
      if (bits === 64) return mapSamples(data, 8, (view, offset) => quantize(view.getFloat64(offset, true)))
      return undefined
    case A_LAW:
      return decodePcma(data)
    case MU_LAW:
      return decodePcmu(data)
    default:
      return undefined
  }
}

const invalid = (message: string) => Either.left(new InvalidAudio({ reason: "Wav", message }))

/**
 * Reads PCM with 8, 16, 24 and 32 bits (the upper 16 count), floats with 32 and 64 bits, µ-law and A-law, at any rate
 * and with any number of channels. Unknown chunks are skipped. If the file is too short for a size, or its writer did
 * not write a size, the data ends with the file. An incomplete last frame is left out.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode = (file: Uint8Array): Either.Either<Wav, InvalidAudio> => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const form = ascii(file, 0)
  if (file.length < 12 || !forms.has(form) || ascii(file, 8) !== "WAVE") {
    return invalid("This is not a WAV file: it does not begin with RIFF and WAVE. Convert it to WAV first.")
  }
  const { format, data } = findChunks(file, view)
  if (format === undefined || data === undefined) {
    const missing = format === undefined ? "format" : "data"
    return invalid(`The WAV file has no ${missing} chunk. It was cut off: record or download it again.`)
  }
  if (format.channels === 0 || format.sampleRate === 0) {
    return invalid("The WAV file claims to have no channels or no sample rate. Write it again with a valid header.")
  }
  const all = readData(data, format)
  if (all === undefined) {
    return invalid(
      `The WAV file has encoding ${format.encoding} with ${format.bits} bits. Convert it to PCM, floats, µ-law or A-law.`
    )
  }
  const whole = all.length - (all.length % format.channels)
  return Either.right({
    sampleRate: format.sampleRate,
    channels: format.channels,
    samples: whole === all.length ? all : all.slice(0, whole)
  })
}
