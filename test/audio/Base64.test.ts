import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import {
  decodeBase64,
  decodedLength,
  type Engine,
  encodeBase64,
  ofBuffer,
  ofUint8Array,
  portable
} from "../../src/audio/Base64.js"
import { InvalidAudio } from "../../src/audio/InvalidAudio.js"
import { numRuns } from "../runs.js"

/** What a current browser has, as the specification tells it: white space is skipped, the rest throws. */
class BrowserBytes extends Uint8Array {
  static fromBase64(text: string): Uint8Array {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    return bytes
  }
  toBase64(): string {
    return btoa(String.fromCharCode(...this))
  }
}

const browser = ofUint8Array(BrowserBytes)

const engines: ReadonlyArray<readonly [string, Engine]> = [
  ["Buffer", ofBuffer(Buffer)],
  ["tables", portable()],
  ...(browser === undefined ? [] : [["Uint8Array.fromBase64", browser] as const])
]

const decodeWith = (engine: Engine, text: string): Uint8Array | undefined => {
  const length = decodedLength(text)
  return length === undefined ? undefined : engine.decode(text, length)
}

/** Bytes that begin anywhere in their buffer. */
const views = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.nat(7))
  .map(([bytes, offset]) => new Uint8Array([...new Uint8Array(offset), ...bytes, 1, 2, 3]).subarray(offset, -3))

const isBase64 = (text: string): boolean =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text) && !text.endsWith("\n")

/** RFC 4648, section 10. */
const published = [
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"]
] as const

describe("Base64", () => {
  it("has an engine for browsers with methods of their own", () => {
    expect(engines).toHaveLength(3)
  })

  it("detects a platform without methods of its own", () => {
    class OldBytes extends Uint8Array {}
    expect(ofUint8Array(OldBytes) === undefined).toBe(!("fromBase64" in Uint8Array))
  })

  describe.each(engines)("by %s", (_, engine) => {
    it.each(published)("turns %j into %j and back", (plain, text) => {
      const bytes = new TextEncoder().encode(plain)
      expect(engine.encode(bytes)).toBe(text)
      expect(decodeWith(engine, text)).toEqual(bytes)
      expect(decodeWith(engine, text.replace(/=+$/, ""))).toEqual(bytes)
    })

    it("round-trips any bytes, into memory of their own", () => {
      fc.assert(
        fc.property(views, (bytes) => {
          const text = engine.encode(bytes)
          expect(text).toBe(Buffer.from(Array.from(bytes)).toString("base64"))
          const decoded = decodeWith(engine, text)
          expect(decoded).toEqual(Uint8Array.from(bytes))
          expect(decoded?.constructor).toBe(Uint8Array)
          expect(decoded?.buffer.byteLength).toBe(bytes.length)
        }),
        { numRuns: numRuns(300) }
      )
    })

    it("refuses everything else, even if the platform accepts it", () => {
      const verdicts = new Set<boolean>()
      const digit = fc.constantFrom(..."ABab09+/")
      const odd = fc.constantFrom("=", " ", "\n", "\t", "-", "_", ".", "\u0000", "\u00ff", "\u0141", "\ud83d", "\u2028")
      const text = fc.oneof(
        fc.string({ unit: digit, maxLength: 24 }),
        fc.string({ unit: fc.oneof({ arbitrary: digit, weight: 9 }, odd), maxLength: 24 }),
        fc.tuple(fc.string({ unit: digit, maxLength: 24 }), fc.constantFrom("=", "==", "===")).map(([a, b]) => a + b)
      )
      fc.assert(
        fc.property(text, (candidate) => {
          const decoded = decodeWith(engine, candidate)
          verdicts.add(decoded !== undefined)
          expect(decoded !== undefined).toBe(isBase64(candidate))
          if (decoded !== undefined) expect(decoded).toEqual(new Uint8Array(Buffer.from(candidate, "base64")))
        }),
        { numRuns: numRuns(2000) }
      )
      expect(verdicts.size).toBe(2)
    })
  })

  it.each(engines.slice(0, 2))("takes 15 MiB at once by %s", (_, engine) => {
    const bytes = new Uint8Array(15 * 1024 * 1024 + 1).map((_, index) => index * 31 + (index >> 8))
    const decoded = decodeWith(engine, engine.encode(bytes))
    expect(decoded !== undefined && Buffer.compare(decoded, bytes) === 0).toBe(true)
  })

  it("fails with a typed error that says what to send", () => {
    const failure = Either.flip(decodeBase64("not base64!")).pipe(Either.getOrThrow)
    expect(failure).toBeInstanceOf(InvalidAudio)
    expect(failure).toMatchObject({ _tag: "InvalidAudio", reason: "Base64" })
    expect(failure.message).toContain("standard alphabet")
  })

  it("takes the platform's engine", () => {
    const bytes = Uint8Array.of(0, 255, 127, 128)
    expect(decodeBase64(encodeBase64(bytes))).toEqual(Either.right(bytes))
  })
})
