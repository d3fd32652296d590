import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { decodeServerFrame } from "../../src/Protocol.js"
import { excerptOf } from "../../src/protocol/Violation.js"

const isWellFormed = (text: string) =>
  !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)

describe("excerptOf", () => {
  it("has at most 500 characters, and never half a character", () => {
    const text = fc.fullUnicodeString({ minLength: 200, maxLength: 1_000 })
    fc.assert(
      fc.property(text, (frame) => {
        const excerpt = excerptOf(frame)
        expect(excerpt.length).toBeLessThanOrEqual(500)
        expect(isWellFormed(excerpt)).toBe(true)
      })
    )
  })

  it("cuts audio and keeps what is around it", () => {
    const audio = "UklGRg+/".repeat(100)
    expect(excerptOf(`{"delta":"${audio}==","item_id":"item_1"}`)).toBe(
      '{"delta":"UklGRg+/UklGRg+/…","item_id":"item_1"}'
    )
  })
})

describe("Violation", () => {
  it("prints neither objects nor long texts", () => {
    const item_id = { secret: "sk-1234" }
    const decoded = decodeServerFrame(JSON.stringify({ type: "conversation.item.deleted", item_id }))
    expect(decoded).toMatchObject({
      violation: { message: "conversation.item.deleted: item_id should be a string, but is an object." }
    })
    const received_at = "soon ".repeat(1_000)
    const key = decodeServerFrame(
      JSON.stringify({ type: "input_audio_buffer.dtmf_event_received", event: "1", received_at })
    )
    expect(key).toMatchObject({ violation: { path: "received_at", message: expect.stringMatching(/^.{1,200}$/) } })
  })
})
