import { describe, expect, it } from "vitest"
import { Places } from "../../src/telephony/Places.js"

describe("A place for a call", () => {
  it("is taken while the call rings and while it is talked to, and is free when it ends", () => {
    const places = new Places(2, 60_000)
    expect(["CA1", "CA2", "CA3"].map((call) => places.take(call, 0))).toEqual([true, true, false])
    places.begin("CA1")
    expect(places.take("CA3", 0)).toBe(false)
    places.end("CA1")
    expect(places.take("CA3", 0)).toBe(true)
  })

  it("is free again if the call is not answered, or its stream does not begin in time", () => {
    const places = new Places(1, 60_000)
    places.take("CA1", 0)
    places.leave("CA1")
    expect(places.take("CA2", 0)).toBe(true)
    expect(places.take("CA3", 59_999)).toBe(false)
    expect(places.take("CA3", 60_000)).toBe(true)
  })

  it("is the same one if the webhook of the call comes again", () => {
    const places = new Places(1, 60_000)
    expect([places.take("CA1", 0), places.take("CA1", 50_000)]).toEqual([true, true])
    expect(places.take("CA2", 60_000)).toBe(false)
    places.begin("CA1")
    expect(places.take("CA1", 70_000)).toBe(true)
    places.leave("CA1")
    expect(places.take("CA2", 80_000)).toBe(false)
  })
})
