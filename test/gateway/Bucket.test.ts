import { describe, expect, it } from "@effect/vitest"
import { Bucket } from "../../src/gateway/Bucket.js"

describe("How much a client may send", () => {
  it("is a burst at once, and then what refills", () => {
    const bucket = new Bucket(100, 50, 0)
    expect(bucket.take(50, 0)).toBe(true)
    expect(bucket.take(1, 0)).toBe(false)
    expect(bucket.take(10, 100)).toBe(true)
    expect(bucket.take(1, 100)).toBe(false)
  })

  it("never grows beyond the burst, however long the client was idle", () => {
    const bucket = new Bucket(100, 50, 0)
    expect(bucket.take(51, 1_000_000)).toBe(false)
    expect(bucket.take(50, 1_000_000)).toBe(true)
  })

  it("is not used up by refused messages", () => {
    const bucket = new Bucket(100, 50, 0)
    expect(bucket.take(60, 0)).toBe(false)
    expect(bucket.take(50, 0)).toBe(true)
  })
})
