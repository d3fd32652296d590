import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { type Frame, Outbox } from "../../src/gateway/Outbox.js"

const make = (limits: { windowBytes?: number; maxBytes?: number } = {}) =>
  new Outbox({ windowBytes: 10, maxBytes: 20, ...limits })

const takeAll = (outbox: Outbox): ReadonlyArray<Frame> => {
  const taken: Array<Frame> = []
  for (let frame = outbox.take(); frame !== undefined; frame = outbox.take()) taken.push(frame)
  return taken
}

describe("Frames for a client", () => {
  it("are sent as far as the window goes, and further with each acknowledgement", () => {
    const outbox = make()
    for (const frame of ["aaaa", "bbbb", "cccc", "dddd"]) outbox.push(frame)
    expect(takeAll(outbox)).toEqual(["aaaa", "bbbb"])
    expect(outbox.acknowledge(1)).toBe(true)
    expect(takeAll(outbox)).toEqual(["cccc"])
    expect(outbox.acknowledge(3)).toBe(true)
    expect(takeAll(outbox)).toEqual(["dddd"])
  })

  it("are sent though one alone is larger than the window", () => {
    const outbox = make({ windowBytes: 1 })
    outbox.push("aaaa")
    outbox.push("bbbb")
    expect(takeAll(outbox)).toEqual(["aaaa"])
    outbox.acknowledge(1)
    expect(takeAll(outbox)).toEqual(["bbbb"])
  })

  it("are sent again from the first that the client lacks", () => {
    const outbox = make()
    for (const frame of ["a", "b", "c", "d"]) outbox.push(frame)
    takeAll(outbox)
    outbox.acknowledge(1)
    outbox.rewind(2)
    expect(outbox.next).toBe(3)
    expect(takeAll(outbox)).toEqual(["c", "d"])
  })

  it("that were never sent are not acknowledged", () => {
    const outbox = make()
    outbox.push("a")
    expect(outbox.acknowledge(1)).toBe(false)
    outbox.take()
    expect(outbox.acknowledge(2)).toBe(false)
    expect(outbox.acknowledge(1)).toBe(true)
    expect(outbox.keptBytes).toBe(0)
  })

  it("are dropped beyond the bound, but not replies, nor what may have arrived", () => {
    const outbox = make()
    for (const frame of ["aaaa", "bbbb", "cccc"]) outbox.push(frame)
    expect(takeAll(outbox)).toEqual(["aaaa", "bbbb"])
    outbox.push("done", "Reply")
    outbox.push("dddddddddddd")
    outbox.push("eeeeeeeeeeeeeeeeeeee")
    outbox.push("f")
    expect(outbox.state).toEqual({ _tag: "Lagging", missed: 4 })
    expect(outbox.hasArrived).toBe(false)
    outbox.rewind(0)
    expect(takeAll(outbox)).toEqual(["aaaa", "bbbb"])
    outbox.acknowledge(2)
    expect(takeAll(outbox)).toEqual(["done"])
    outbox.acknowledge(3)
    expect(outbox.hasArrived).toBe(true)
    outbox.caughtUp("snapshot")
    outbox.push("g")
    expect(takeAll(outbox)).toEqual(["snapshot", "g"])
    expect(outbox.state).toEqual({ _tag: "Current" })
  })

  it("are replaced by a snapshot where the client has lost what it had", () => {
    const outbox = make()
    for (const frame of ["a", "b", "c"]) outbox.push(frame)
    takeAll(outbox)
    outbox.acknowledge(2)
    outbox.rewind(0)
    expect(outbox.next).toBe(3)
    expect(outbox.state).toEqual({ _tag: "Lagging", missed: 2 })
    expect(takeAll(outbox)).toEqual(["c"])
  })
})

/** `Arrive`: what is on its way reaches the client. `Break`: it does not, and the client connects again. */
type Step =
  | { readonly _tag: "Push"; readonly size: number; readonly isReply: boolean }
  | { readonly _tag: "Take" | "Arrive" | "Acknowledge" | "Break" | "CatchUp" }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant("Push" as const),
      size: fc.integer({ min: 3, max: 8 }),
      isReply: fc.boolean()
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constantFrom(
        "Take" as const,
        "Arrive" as const,
        "Acknowledge" as const,
        "Break" as const,
        "CatchUp" as const
      )
    })
  }
)

/** An outbox with its client. Frames are numbers, in the order in which they came to be. */
class Model {
  readonly outbox = make()
  readonly got: Array<number> = []
  pushed = 0
  #onTheWay: Array<Frame> = []

  run(one: Step): void {
    switch (one._tag) {
      case "Push":
        this.pushed += 1
        this.outbox.push(`${this.pushed}`.padEnd(one.size, "."), one.isReply ? "Reply" : "News")
        return
      case "Take": {
        const frame = this.outbox.take()
        if (frame !== undefined) this.#onTheWay.push(frame)
        return
      }
      case "Arrive":
        this.got.push(...this.#onTheWay.map((frame) => Number.parseInt(String(frame), 10)))
        this.#onTheWay = []
        return
      case "Acknowledge":
        expect(this.outbox.acknowledge(this.got.length)).toBe(true)
        return
      case "Break":
        this.#onTheWay = []
        this.outbox.rewind(this.got.length)
        return
      case "CatchUp":
        if (this.outbox.state._tag === "Current" || !this.outbox.hasArrived) return
        // As a number, a snapshot is how many frames it took the place of, below zero.
        this.outbox.caughtUp(`-${this.outbox.state.missed}`)
    }
  }

  /** Until the client has all. */
  finish(): void {
    this.run({ _tag: "Break" })
    for (let rounds = 0; rounds < 150; rounds += 1) {
      for (const _tag of ["Take", "Arrive", "Acknowledge", "CatchUp"] as const) this.run({ _tag })
    }
  }
}

describe("A client that reads, lags, and loses its socket at any time", () => {
  it("gets every frame once and in order, or is told how many are missing, within the bound", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const model = new Model()
        for (const one of steps) {
          model.run(one)
          expect(model.outbox.keptBytes).toBeLessThanOrEqual(10 + 20 + 8 + 4)
        }
        model.finish()
        const frames = model.got.filter((frame) => frame > 0)
        expect(frames).toEqual(frames.toSorted((one, other) => one - other))
        expect(new Set(frames).size).toBe(frames.length)
        const missed = model.got.reduce((sum, frame) => sum - Math.min(frame, 0), 0)
        expect(frames.length + missed).toBe(model.pushed)
      }),
      { numRuns: 500 }
    )
  })
})
