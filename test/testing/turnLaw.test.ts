import { describe, expect, it } from "@effect/vitest"
import { encodeBase64 } from "../../src/Audio.js"
import { isKeptEnd, isSameAudio } from "../../src/testing/turnLaw.js"

/** Samples that all differ: each gives its own position. */
const stream = (samples: number): Uint8Array => {
  const bytes = new Uint8Array(samples * 2)
  const view = new DataView(bytes.buffer)
  for (let sample = 0; sample < samples; sample += 1) view.setUint16(sample * 2, sample, true)
  return bytes
}

const all = stream(10_000)
const part = (from: number, to: number): string => encodeBase64(all.slice(from * 2, to * 2))

describe("the audio that a server heard", () => {
  it("is the same where the two sides cut it less than a millisecond apart: servers name whole ones", () => {
    expect(isSameAudio(part(500, 2_000), part(500, 2_000))).toBe(true)
    expect(isSameAudio(part(501, 2_000), part(500, 2_000))).toBe(true)
    expect(isSameAudio(part(480, 2_020), part(500, 2_000))).toBe(true)
    expect(isSameAudio(part(520, 2_020), part(500, 2_000))).toBe(true)
  })

  it("is another one where more is missing or more is there, where it is moved, or where it says something else", () => {
    expect(isSameAudio(part(560, 2_000), part(500, 2_000))).toBe(false)
    expect(isSameAudio(part(500, 1_900), part(500, 2_000))).toBe(false)
    expect(isSameAudio(part(500, 2_100), part(500, 2_000))).toBe(false)
    expect(isSameAudio(part(600, 2_100), part(500, 2_000))).toBe(false)
    expect(isSameAudio(part(4_000, 5_500), part(500, 2_000))).toBe(false)
    expect(isSameAudio(encodeBase64(new Uint8Array(3_000)), part(500, 2_000))).toBe(false)
    expect(isSameAudio("", part(500, 2_000))).toBe(false)
  })
})

describe("the audio that a session kept of a turn in which nobody was heard", () => {
  const seconds = stream(7 * 24_000)
  const last = (samples: number): string => encodeBase64(seconds.slice(-samples * 2))

  it("is its end, of five seconds or more", () => {
    expect(isKeptEnd(last(5 * 24_000), encodeBase64(seconds))).toBe(true)
    expect(isKeptEnd(last(6 * 24_000), encodeBase64(seconds))).toBe(true)
    expect(isKeptEnd(last(4 * 24_000), encodeBase64(seconds))).toBe(false)
    expect(isKeptEnd(encodeBase64(seconds.slice(0, 10 * 24_000)), encodeBase64(seconds))).toBe(false)
  })
})
