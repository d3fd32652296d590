/**
 * Base64 (RFC 4648, section 4), with the fastest implementation on the platform: `Buffer` in Node, Bun and Deno, the
 * methods of `Uint8Array` in current browsers, and tables elsewhere.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { InvalidAudio } from "./InvalidAudio.js"

/** An implementation. `decode` returns `undefined` for text that is not base64; it is given the decoded length. */
export interface Engine {
  readonly encode: (bytes: Uint8Array) => string
  readonly decode: (text: string, length: number) => Uint8Array | undefined
}

/**
 * The number of bytes in the text, or `undefined` if base64 cannot have this length. Padding may be left out, as some
 * servers do.
 */
export const decodedLength = (text: string): number | undefined => {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const digits = text.length - padding
  if (digits % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined
  return Math.floor((digits * 3) / 4)
}

/** The part of Node's `Buffer` that is used, declared here so that the types of this package do not need Node's. */
export interface BufferLike {
  readonly from: (
    buffer: ArrayBufferLike,
    byteOffset?: number,
    length?: number
  ) => {
    readonly toString: (encoding: "base64") => string
    readonly write: (text: string, encoding: "base64") => number
  }
  readonly byteLength: (text: string, encoding: "utf8") => number
}

/**
 * Node's decoder skips unknown characters, also takes base64url, and reads U+0144 as `D`. All three are refused here.
 */
export const ofBuffer = (NodeBuffer: BufferLike): Engine => ({
  encode: (bytes) => NodeBuffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  decode: (text, length) => {
    // Not `Buffer.from(text)`: its result shares memory with other buffers.
    const buffer = new ArrayBuffer(length)
    const complete = NodeBuffer.from(buffer).write(text, "base64") === length
    const ascii = NodeBuffer.byteLength(text, "utf8") === text.length
    return complete && ascii && !text.includes("-") && !text.includes("_") ? new Uint8Array(buffer) : undefined
  }
})

/** `Uint8Array.fromBase64` and `toBase64` (ECMAScript 2026), which the compiler's library does not have yet. */
export const ofUint8Array = (Bytes: typeof Uint8Array): Engine | undefined => {
  const prototype = Bytes.prototype
  if (!("fromBase64" in Bytes && typeof Bytes.fromBase64 === "function")) return undefined
  if (!("toBase64" in prototype && typeof prototype.toBase64 === "function")) return undefined
  const { fromBase64 } = Bytes
  const { toBase64 } = prototype
  return {
    encode: (bytes) => String(toBase64.call(bytes)),
    decode: (text, length) => {
      try {
        const bytes: unknown = fromBase64.call(Bytes, text)
        // It skips white space.
        return bytes instanceof Uint8Array && bytes.length === length ? bytes : undefined
      } catch {
        return undefined
      }
    }
  }
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
const EQUALS = 61

/** Tables instead of `btoa` and `atob`: they need no intermediate binary string, and encode five times as fast. */
export const portable = (): Engine => {
  const letters = new TextEncoder().encode(ALPHABET)
  const digits = new Int8Array(128).fill(-1)
  for (let digit = 0; digit < 64; digit++) digits[letters[digit] ?? 0] = digit
  const letter = (digit: number): number => letters[digit & 63] ?? 0
  const digitAt = (text: string, index: number): number => digits[text.charCodeAt(index)] ?? -1
  const ascii = new TextDecoder()

  return {
    encode: (bytes) => {
      const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill(EQUALS, -2)
      let at = 0
      let index = 0
      for (; index + 2 < bytes.length; index += 3) {
        const word = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
        text[at++] = letter(word >> 18)
        text[at++] = letter(word >> 12)
        text[at++] = letter(word >> 6)
        text[at++] = letter(word)
      }
      if (index < bytes.length) {
        const word = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8)
        text[at++] = letter(word >> 18)
        text[at++] = letter(word >> 12)
        if (index + 1 < bytes.length) text[at++] = letter(word >> 6)
      }
      return ascii.decode(text)
    },
    decode: (text, length) => {
      const bytes = new Uint8Array(length)
      const whole = length - (length % 3)
      let sign = 0
      let index = 0
      for (let at = 0; at < whole; index += 4) {
        const a = digitAt(text, index)
        const b = digitAt(text, index + 1)
        const c = digitAt(text, index + 2)
        const d = digitAt(text, index + 3)
        sign |= a | b | c | d
        const word = (a << 18) | (b << 12) | (c << 6) | d
        bytes[at++] = word >> 16
        bytes[at++] = word >> 8
        bytes[at++] = word
      }
      if (whole < length) {
        const a = digitAt(text, index)
        const b = digitAt(text, index + 1)
        const c = length - whole === 2 ? digitAt(text, index + 2) : 0
        sign |= a | b | c
        const word = (a << 18) | (b << 12) | (c << 6)
        bytes[whole] = word >> 16
        if (whole + 1 < length) bytes[whole + 1] = word >> 8
      }
      return sign < 0 ? undefined : bytes
    }
  }
}

let chosen: Engine | undefined

const engine = (): Engine => {
  if (chosen === undefined) {
    // The types promise Node's global everywhere, but browsers do not have it.
    chosen =
      typeof globalThis.Buffer === "function"
        ? ofBuffer(globalThis.Buffer)
        : (ofUint8Array(globalThis.Uint8Array) ?? portable())
  }
  return chosen
}

/**
 * Encodes bytes as base64, with padding. Any number of bytes; a view into a larger buffer is fine.
 *
 * @since 0.1.0
 * @category base64
 */
export const encodeBase64 = (bytes: Uint8Array): string => engine().encode(bytes)

const notBase64 = (): InvalidAudio =>
  new InvalidAudio({
    reason: "Base64",
    message: "The audio is not base64. Send the standard alphabet (A-Z a-z 0-9 + /), without spaces and line breaks."
  })

/**
 * Decodes base64 to bytes in their own memory. Padding may be absent. White space, the URL alphabet, and anything else
 * that is not base64 is an `InvalidAudio`.
 *
 * @since 0.1.0
 * @category base64
 */
export const decodeBase64 = (text: string): Either.Either<Uint8Array, InvalidAudio> => {
  const length = decodedLength(text)
  const bytes = length === undefined ? undefined : engine().decode(text, length)
  return bytes === undefined ? Either.left(notBase64()) : Either.right(bytes)
}
