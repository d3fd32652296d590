import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { decodeAudio, encodeAudio } from "../../src/gateway/AudioFrame.js"

const chunk = fc.record({
  itemId: fc.fullUnicodeString(),
  responseId: fc.fullUnicodeString(),
  contentIndex: fc.nat(0xffff),
  outOfBand: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 64 })
})

describe("A chunk of audio as a frame", () => {
  it("is the same on the other side, wherever the frame lies in memory, and begins at an even place", () => {
    fc.assert(
      fc.property(chunk, fc.nat(7), (audio, offset) => {
        const frame = encodeAudio(audio) ?? new Uint8Array()
        const elsewhere = new Uint8Array(frame.length + offset)
        elsewhere.set(frame, offset)
        expect(decodeAudio(elsewhere.subarray(offset))).toEqual(audio)
        expect((frame.length - audio.bytes.length) % 2).toBe(0)
      })
    )
  })

  it("is invalid if it is cut off within its header, or of another kind", () => {
    const frame =
      encodeAudio({
        itemId: "item",
        responseId: "response",
        contentIndex: 0,
        outOfBand: false,
        bytes: new Uint8Array(2)
      }) ?? new Uint8Array()
    const header = frame.length - 2
    for (let length = 0; length < header; length += 1) expect(decodeAudio(frame.subarray(0, length))).toBeUndefined()
    expect(decodeAudio(frame.subarray(0, header))?.bytes.length).toBe(0)
    expect(decodeAudio(Uint8Array.of(2, ...frame.subarray(1)))).toBeUndefined()
  })

  it("cannot be made if an id is longer than the header allows", () => {
    const audio = { itemId: "i".repeat(65_536), responseId: "r", contentIndex: 0, outOfBand: false }
    expect(encodeAudio({ ...audio, bytes: new Uint8Array(2) })).toBeUndefined()
    expect(encodeAudio({ ...audio, itemId: "i", contentIndex: 65_536, bytes: new Uint8Array(2) })).toBeUndefined()
  })
})
