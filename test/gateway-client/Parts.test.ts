import { describe, expect, it } from "@effect/vitest"
import { maxWaitingSeconds } from "../../src/gateway-client/bounds.js"
import { Parts } from "../../src/gateway-client/Parts.js"
import type { GatewayClient } from "../../src/gateway-client.js"

const audio = (itemId: string, ...bytes: ReadonlyArray<number>): GatewayClient.News => ({
  _tag: "Audio",
  chunk: { responseId: "r", itemId, contentIndex: 0, outOfBand: false, bytes: Uint8Array.from(bytes) }
})

const event = (_tag: "AudioInterrupted" | "AudioCompleted", itemId: string): GatewayClient.News =>
  _tag === "AudioInterrupted"
    ? { _tag: "Event", event: { _tag, responseId: "r", itemId, contentIndex: 0, heardMs: 0 } }
    : { _tag: "Event", event: { _tag, responseId: "r", itemId, contentIndex: 0 } }

const make = () => new Parts(1_000, (bytes) => Float32Array.from(bytes))

describe("The parts of a speaker", () => {
  it("are numbered as they begin, and are complete when their audio is", () => {
    const parts = make()
    expect(parts.take(audio("a", 1))).toEqual({ part: 1, samples: Float32Array.of(1) })
    expect(parts.take(audio("b", 2))).toEqual({ part: 2, samples: Float32Array.of(2) })
    expect(parts.take(audio("a", 3))).toEqual({ part: 1, samples: Float32Array.of(3) })
    expect(parts.take(event("AudioCompleted", "a"))).toEqual({ part: 1, complete: true })
    expect(parts.take(event("AudioCompleted", "unknown"))).toBeUndefined()
    expect(parts.take({ _tag: "Event", event: { _tag: "EventsMissed", count: 1 } })).toBeUndefined()
  })

  it("are silent once they are interrupted, even if their audio arrives later", () => {
    const parts = make()
    parts.take(audio("a", 1))
    expect(parts.take(event("AudioInterrupted", "a"))).toEqual({ part: 1, drop: true })
    expect(parts.take(audio("a", 2))).toBeUndefined()
    parts.take(event("AudioInterrupted", "b"))
    expect(parts.take(audio("b", 2))).toBeUndefined()
  })

  it("are heard as far as they were played, without what the device still holds", () => {
    const parts = make()
    parts.take(audio("a", 1))
    expect(parts.reported({ part: 1, frames: 500 }, 20)).toEqual({ itemId: "a", contentIndex: 0, heardMs: 480 })
    expect(parts.reported({ part: 1, frames: 510 }, 600)).toEqual({ itemId: "a", contentIndex: 0, heardMs: 0 })
    expect(parts.reported({ part: 1, frames: 900, finished: true }, 20)).toMatchObject({ heardMs: "finished" })
  })

  it("are not reported if they were interrupted or are unknown, or if the message is no report", () => {
    const parts = make()
    parts.take(audio("a", 1))
    parts.take(event("AudioInterrupted", "a"))
    for (const data of [{ part: 1, frames: 5 }, { part: 9, frames: 5 }, "frames", null]) {
      expect(parts.reported(data, 0)).toBeUndefined()
    }
  })

  it("are cut if more than ten minutes wait to be played, and the rest does not count as heard", () => {
    const parts = new Parts(1, (bytes) => Float32Array.from(bytes))
    const minute = new Array<number>(60).fill(1)
    for (let sent = 0; sent < maxWaitingSeconds; sent += 60) expect(parts.take(audio("a", ...minute))).toBeDefined()
    expect(parts.take(audio("a", 1))).toBeUndefined()
    // Another part finds room as soon as some of the first was played.
    parts.reported({ part: 1, frames: 60 }, 0)
    expect(parts.take(audio("b", ...minute))).toBeDefined()
    expect(parts.take(audio("a", 1))).toBeUndefined()
    parts.take(event("AudioCompleted", "a"))
    expect(parts.reported({ part: 1, frames: 600, finished: true }, 0)).toMatchObject({ heardMs: 600_000 })
  })

  it("make room when they are interrupted, and when they are forgotten", () => {
    const parts = new Parts(1, (bytes) => Float32Array.from(bytes))
    const all = new Array<number>(maxWaitingSeconds).fill(1)
    parts.take(audio("a", ...all))
    parts.take(event("AudioInterrupted", "a"))
    expect(parts.take(audio("b", ...all))).toBeDefined()
    for (let count = 0; count < 256; count += 1) parts.take(event("AudioInterrupted", `c${count}`))
    expect(parts.take(audio("d", ...all))).toBeDefined()
  })
})
