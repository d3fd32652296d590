import { describe, expect, it } from "vitest"
import type { Entry } from "../../../../src/console/page/model/Entry.js"
import { Latency } from "../../../../src/console/page/model/Latency.js"

/** A microphone that is loud until a moment, and then quiet. */
const heard = (fromMs: number, loudUntilMs: number, toMs: number): ReadonlyArray<Entry> =>
  Array.from({ length: (toMs - fromMs) / 50 }, (_, index): Entry => {
    const atMs = fromMs + index * 50
    return { _tag: "Heard", atMs, level: atMs <= loudUntilMs ? 0.4 : 0.01 }
  })

const stopped = (atMs: number): Entry => ({
  _tag: "Event",
  atMs,
  event: { _tag: "SpeechStopped", itemId: "item", audioEndMs: 0 }
})

const spoken = (atMs: number): Entry => ({ _tag: "Spoken", atMs, itemId: "answer", durationMs: 100, levels: [] })

const latencyOf = (entries: ReadonlyArray<Entry>): Latency => {
  const latency = new Latency()
  for (const entry of entries) latency.apply(entry)
  return latency
}

describe("Latency", () => {
  it("counts from the last loud moment, and not from when turn detection noticed the silence", () => {
    const latency = latencyOf([...heard(0, 2_000, 2_600), stopped(2_600), spoken(2_900)])
    expect(latency.percentile(0.5)).toBe(900)
  })

  it("counts from the last loud moment of this turn, also if turn detection takes long, or the last turn was louder", () => {
    const started: Entry = {
      _tag: "Event",
      atMs: 4_000,
      event: { _tag: "SpeechStarted", itemId: "item", audioStartMs: 0 }
    }
    const quiet = heard(3_600, 5_000, 12_000).map((one) => ("level" in one ? { ...one, level: one.level / 20 } : one))
    const latency = latencyOf([...heard(0, 2_000, 3_600), started, ...quiet, stopped(12_000), spoken(12_500)])
    expect(latency.percentile(0.5)).toBe(7_500)
  })

  it("counts from when the silence was noticed, if the page heard nothing", () => {
    expect(latencyOf([stopped(2_600), spoken(2_900)]).percentile(0.5)).toBe(300)
  })

  it("counts from when a text was sent, and not from when the model had it", () => {
    const item = {
      _tag: "Message",
      id: "item",
      role: "user",
      status: "completed",
      content: [{ _tag: "Text", text: "Hi" }]
    } as const
    const added: Entry = { _tag: "Event", atMs: 4_000, event: { _tag: "ItemAdded", item } }
    expect(latencyOf([{ _tag: "Typed", atMs: 1_000 }, added, spoken(4_500)]).percentile(0.5)).toBe(3_500)
  })

  it("counts from the last loud moment while the button was held, where no turn detection listens", () => {
    const released: Entry = { _tag: "Released", atMs: 12_400, heldMs: 2_400 }
    const entries = [...heard(0, 2_000, 2_400), ...heard(10_000, 12_000, 12_400), released, spoken(13_000)]
    expect(latencyOf(entries).percentile(0.5)).toBe(1_000)
  })

  it("counts an answer once, whatever follows", () => {
    const latency = latencyOf([stopped(1_000), spoken(1_500), spoken(1_600), stopped(9_000), spoken(9_100)])
    expect(latency.count).toBe(2)
    expect(latency.percentile(0.95)).toBe(500)
  })

  it("says nothing before there was an answer", () => {
    expect(latencyOf([stopped(1_000)]).percentile(0.5)).toBeUndefined()
  })
})
