/**
 * Records as lines of a file: `<length> <checksum> <JSON>\n`, both numbers as 8 hexadecimal digits, the length in
 * bytes. The JSON contains no line breaks, so a line with a line break was written completely.
 */
import * as Either from "effect/Either"
import { crc32 } from "./crc32.js"

const HEADER_BYTES = 18
export const LINE_FEED = 0x0a
const headerPattern = /^([0-9a-f]{8}) ([0-9a-f]{8}) $/

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const ascii = new TextDecoder("latin1")

export const encode = (texts: ReadonlyArray<string>): Uint8Array => {
  const lines = texts.map((text) => {
    const payload = encoder.encode(text)
    return [encoder.encode(`${hex(payload.length)} ${hex(crc32(payload))} `), payload] as const
  })
  const bytes = new Uint8Array(lines.reduce((sum, [, payload]) => sum + HEADER_BYTES + payload.length + 1, 0))
  let end = 0
  for (const [header, payload] of lines) {
    bytes.set(header, end)
    bytes.set(payload, end + HEADER_BYTES)
    end += HEADER_BYTES + payload.length + 1
    bytes[end - 1] = LINE_FEED
  }
  return bytes
}

const hex = (value: number): string => value.toString(16).padStart(8, "0")

export interface Line {
  readonly text: string
  /** The number of the line, from 1. */
  readonly line: number
  /** The position of its first byte. */
  readonly offset: number
}

export interface Lines {
  /** Empty if the texts were not wanted. */
  readonly lines: ReadonlyArray<Line>
  /** The end of the last line. What follows was being written when the writer died. */
  readonly end: number
  /** `Missing`: the last line is complete, except for its line break. */
  readonly lineBreak: "Written" | "Missing"
}

export interface Damage {
  /** From 1. */
  readonly line: number
  readonly offset: number
  readonly reason: string
}

export interface Reader {
  /** Reads on, by about this many bytes. */
  readonly step: (bytes: number) => Either.Either<"More" | "Done", Damage>
  /** Everything that was read so far. */
  readonly read: () => Lines
}

/**
 * The lines of a file, with their texts or, in half the time, without. A truncated last line is left out: its `append`
 * never returned. Any other difference from what was written is damage, even in the last line.
 */
export const reader = (bytes: Uint8Array, want: "Texts" | "Places" = "Texts"): Reader => {
  const size = writtenSize(bytes)
  const lines: Array<Line> = []
  let count = 0
  let offset = 0
  let lineBreak: Lines["lineBreak"] = "Written"

  const step: Reader["step"] = (atMost) => {
    for (const until = offset + atMost; offset < size; ) {
      if (offset >= until) return Either.right("More")
      const found = bytes.indexOf(LINE_FEED, offset)
      const isCut = found < 0 || found >= size
      const read = readLine(bytes.subarray(offset, isCut ? size : found), isCut, want)
      if (read._tag === "Torn") return Either.right("Done")
      const line = count + 1
      if (read._tag === "Damaged") return Either.left({ line, offset, reason: read.reason })
      if (want === "Texts") lines.push({ text: read.text, line, offset })
      count = line
      offset = isCut ? size : found + 1
      if (isCut) lineBreak = "Missing"
    }
    return Either.right("Done")
  }
  return { step, read: () => ({ lines, end: offset, lineBreak }) }
}

/** Decodes everything at once. */
export const decode = (bytes: Uint8Array): Either.Either<Lines, Damage> => {
  const { read, step } = reader(bytes)
  return Either.map(step(bytes.length + 1), read)
}

/** After a power failure, a file may have its new length without its new bytes: those are then zero. */
export const writtenSize = (bytes: Uint8Array): number => {
  let size = bytes.length
  while (size > 0 && bytes[size - 1] === 0) size -= 1
  return size
}

type Read =
  | { readonly _tag: "Whole"; readonly text: string }
  | { readonly _tag: "Torn" }
  | { readonly _tag: "Damaged"; readonly reason: string }

const damaged = (reason: string): Read => ({ _tag: "Damaged", reason })

/** @param isCut whether the file ends here, without a line break */
const readLine = (line: Uint8Array, isCut: boolean, want: "Texts" | "Places"): Read => {
  if (isCut && line.length < HEADER_BYTES) return { _tag: "Torn" }
  const header = headerPattern.exec(ascii.decode(line.subarray(0, HEADER_BYTES)))
  if (header === null) return damaged("it does not begin with its length and its checksum")
  const length = Number.parseInt(header[1] ?? "", 16)
  const payload = line.subarray(HEADER_BYTES)
  if (isCut && payload.length < length) return { _tag: "Torn" }
  if (payload.length !== length) return damaged(`it has ${payload.length} bytes instead of ${length}`)
  if (crc32(payload) !== Number.parseInt(header[2] ?? "", 16)) {
    return isCut ? { _tag: "Torn" } : damaged("its checksum does not match")
  }
  if (want === "Places") return { _tag: "Whole", text: "" }
  try {
    return { _tag: "Whole", text: decoder.decode(payload) }
  } catch {
    return damaged("it is not UTF-8")
  }
}
