/**
 * WAV files (RIFF/WAVE): written as PCM16, read in the encodings that recordings of speech come in. Reading forgives
 * what recorders, streams and torn downloads do to files, and never throws.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { decodePcma, decodePcmu } from "./G711.js"
import { InvalidAudio } from "./InvalidAudio.js"
import { encodePcm16, quantize, readSamples } from "./Pcm16.js"

/**
 * A recording: 16 bit samples, those of one frame side by side.
 *
 * @since 0.1.0
 * @category models
 */
export interface Wav {
  /** Frames a second. Files have any; `toSampleRate` says if it can be resampled. */
  readonly sampleRate: number
  readonly channels: number
  /** Interleaved; a whole number of frames. */
  readonly samples: Int16Array
}

/**
 * PCM16 as samples or as little-endian bytes; `channels` is 1 unless it is given.
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

/** The format tags of mmreg.h. */
const PCM = 1
const FLOAT = 3
const A_LAW = 6
const MU_LAW = 7
const EXTENSIBLE = 0xfffe

/** Of 32 and of 64 bits; the last is what the ITU calls the second (BS.2088). */
const forms: ReadonlySet<string> = new Set(["RIFF", "RF64", "BW64"])

const ascii = (bytes: Uint8Array, offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 4))

/**
 * A file of PCM16. An odd last byte is left out.
 *
 * @since 0.1.0
 * @category conversions
 */
export const encode = (options: EncodeOptions): Uint8Array => {
  const { sampleRate, channels = 1 } = options
  const data =
    "samples" in options ? encodePcm16(options.samples) : options.bytes.subarray(0, options.bytes.length & ~1)
  const file = new Uint8Array(HEADER_BYTES + data.length)
  const view = new DataView(file.buffer)
  const put = (offset: number, id: string) => {
    for (let index = 0; index < 4; index++) file[offset + index] = id.charCodeAt(index)
  }
  put(0, "RIFF")
  view.setUint32(4, HEADER_BYTES - 8 + data.length, true)
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
  view.setUint32(40, data.length, true)
  file.set(data, HEADER_BYTES)
  return file
}

interface Format {
  readonly encoding: number
  readonly channels: number
  readonly sampleRate: number
  /** Bits of one sample; the container has as many whole bytes as they need. */
  readonly bits: number
}

const readFormat = (chunk: DataView): Format | undefined => {
  if (chunk.byteLength < 16) return undefined
  const tag = chunk.getUint16(0, true)
  return {
    // The extensible form has the tag that counts at the start of its sub-format's id.
    encoding: tag === EXTENSIBLE && chunk.byteLength >= 26 ? chunk.getUint16(24, true) : tag,
    channels: chunk.getUint16(2, true),
    sampleRate: chunk.getUint32(4, true),
    bits: chunk.getUint16(14, true)
  }
}

/** Where a size would be that a writer to a pipe does not know, or that has 64 bits in a chunk of its own. */
const UNKNOWN = 0xffffffff

/**
 * How long the data is. A writer that was killed leaves zero, and claims in the header of the file that nothing follows; a
 * recording that is empty and finished says how long the rest of the file is.
 */
const dataSize = (view: DataView, start: number, size: number, longSize: number | undefined): number => {
  if (size === UNKNOWN) return longSize ?? Number.POSITIVE_INFINITY
  const form = view.getUint32(4, true)
  return size === 0 && (form === UNKNOWN || 8 + form <= start) ? Number.POSITIVE_INFINITY : size
}

/** The size of the data in a file of the 64 bit form (EBU Tech 3306), unless its writer has not come to that. */
const readLongSize = (chunk: DataView): number | undefined => {
  const size = chunk.byteLength < 16 ? 0 : Number(chunk.getBigUint64(8, true))
  return size === 0 ? undefined : size
}

/** The format and the data, whatever stands between and before them. What a size claims beyond the end does not count. */
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
    // Chunks begin at even places; some writers forget the zero that makes it so.
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
 * Reads PCM of 8, 16, 24 and 32 bits (the upper 16 count), floats of 32 and 64 bits, µ-law and A-law, at any rate and
 * with any number of channels. Unknown chunks are skipped; a size that the file is too short for, or that its writer did not
 * know or did not live to write, means what there is; an incomplete last frame is left out.
 *
 * @since 0.1.0
 * @category conversions
 */
export const decode = (file: Uint8Array): Either.Either<Wav, InvalidAudio> => {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const form = ascii(file, 0)
  if (file.length < 12 || !forms.has(form) || ascii(file, 8) !== "WAVE") {
    return invalid("This is no WAV file: it does not begin with RIFF and WAVE. Convert it to WAV first.")
  }
  const { format, data } = findChunks(file, view)
  if (format === undefined || data === undefined) {
    const missing = format === undefined ? "format" : "data"
    return invalid(`The WAV file has no ${missing} chunk. It was cut off too early: record or download it again.`)
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
