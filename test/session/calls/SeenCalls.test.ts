import { describe, expect, it } from "vitest"
import type { FunctionCallItem } from "../../../src/protocol/Item.js"
import { SeenCalls } from "../../../src/session/calls/SeenCalls.js"

const item = (call_id: string): FunctionCallItem => ({ type: "function_call", call_id, name: "tool", arguments: "{}" })

describe("what was heard of a call", () => {
  it("is an arrival in its response only: some servers reuse call ids across responses", () => {
    const seen = new SeenCalls()
    seen.arrived(item("c1"), "r1")
    expect(seen.hasArrived(item("c1"), "r1")).toBe(true)
    expect(seen.hasArrived(item("c1"), "r2")).toBe(false)
    expect(seen.hasArrived(item("c1"), undefined)).toBe(false)
  })

  it("is by its item where it has no call id", () => {
    const seen = new SeenCalls()
    seen.arrived({ ...item(""), id: "i1" }, "r1")
    expect(seen.hasArrived({ ...item(""), id: "i1" }, "r1")).toBe(true)
    expect(seen.hasArrived({ ...item(""), id: "i2" }, "r1")).toBe(false)
  })

  it("is that it was cut off once, and never of a call that arrived", () => {
    const seen = new SeenCalls()
    expect(seen.abandoned(item("c1"), "r1")).toBe(true)
    expect(seen.abandoned(item("c1"), "r1")).toBe(false)
    seen.arrived(item("c2"), "r1")
    expect(seen.abandoned(item("c2"), "r1")).toBe(false)
  })

  it("is that it comes again once in each response", () => {
    const seen = new SeenCalls()
    expect([seen.repeated("c1", "r1"), seen.repeated("c1", "r1"), seen.repeated("c1", "r2")]).toEqual([
      true,
      false,
      true
    ])
  })

  it("is forgotten, the oldest first: a session may go on for days", () => {
    const seen = new SeenCalls()
    for (let n = 0; n < 1000; n += 1) seen.arrived(item(`c${n}`), "r1")
    expect(seen.hasArrived(item("c0"), "r1")).toBe(false)
    expect(seen.hasArrived(item("c999"), "r1")).toBe(true)
  })
})
