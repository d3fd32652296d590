import { describe, expect, it } from "@effect/vitest"
import { crc32 } from "../../src/journal/crc32.js"

describe("crc32", () => {
  // The check value of CRC-32/ISO-HDLC, and gzip's values for the others.
  it.each([
    ["123456789", 0xcbf43926],
    ["", 0],
    ["a", 0xe8b7be43],
    ["The quick brown fox jumps over the lazy dog", 0x414fa339]
  ])("of %j is what others compute", (text, expected) => {
    expect(crc32(new TextEncoder().encode(text))).toBe(expected)
  })
})
