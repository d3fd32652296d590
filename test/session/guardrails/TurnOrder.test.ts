import { describe, expect, it } from "@effect/vitest"
import { TurnOrder } from "../../../src/session/guardrails/TurnOrder.js"

describe("TurnOrder", () => {
  it("takes the responses between a turn and the next one for its answers", () => {
    const order = new TurnOrder()
    order.responseBegan("greeting")
    order.turnBegan("u1")
    order.responseBegan("r1")
    order.responseBegan("r2")
    order.turnBegan("u2")
    order.responseBegan("r3")
    expect(order.answersTo(order.turnOf("u1"))).toEqual(["r1", "r2"])
    expect(order.answersTo(order.turnOf("u2"))).toEqual(["r3"])
    expect(order.answersTo(0)).toEqual(["greeting"])
  })

  it("counts a turn, and a response, once: both are announced more than once", () => {
    const order = new TurnOrder()
    order.turnBegan("u1")
    order.responseBegan("r1")
    order.turnBegan("u2")
    order.turnBegan("u1")
    order.responseBegan("r1")
    expect(order.latest).toBe(2)
    expect(order.turnOf("u1")).toBe(1)
    expect(order.answersTo(1)).toEqual(["r1"])
  })

  it("takes words that it did not see begin for the latest turn", () => {
    const order = new TurnOrder()
    order.turnBegan("u1")
    order.responseBegan("r1")
    expect(order.answersTo(order.turnOf("unknown"))).toEqual(["r1"])
  })
})
