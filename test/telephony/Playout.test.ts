import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { Playback } from "../../src/machine/Playback.js"
import { PlayBuffer } from "../../src/telephony/PlayBuffer.js"
import { Playout } from "../../src/telephony/Playout.js"
import { numRuns } from "../runs.js"

const format = { encoding: "pcmu", sampleRate: 8_000 } as const
const markMs = 100
const make = (leadMs = 1_000) => new Playout({ format, leadMs, markMs })
const audio = (ms: number, value = 1) => new Uint8Array(ms * 8).fill(value)

const played = (orders: ReturnType<Playout["take"]>) =>
  orders.reduce((sum, order) => sum + (order._tag === "Play" ? order.bytes.length / 8 : 0), 0)
const marks = (orders: ReturnType<Playout["take"]>) =>
  orders.flatMap((order) => (order._tag === "Mark" ? [order.name] : []))

describe("The agent's audio", () => {
  it("goes out in whole frames, and the rest waits for more, or for silence at the end", () => {
    const playout = make()
    playout.add("a", 0, audio(50))
    expect(played(playout.take(0))).toBe(40)
    playout.add("a", 0, audio(15))
    expect(played(playout.take(0))).toBe(20)
    playout.complete("a", 0)
    const [order] = playout.take(0)
    expect(order).toMatchObject({ _tag: "Play", bytes: { length: 160 } })
    const bytes = order?._tag === "Play" ? order.bytes : new Uint8Array()
    expect([bytes[39], bytes[40], bytes[159]]).toEqual([1, 0xff, 0xff])
  })

  it("goes out no more than the lead ahead of the ear", () => {
    const playout = make(500)
    playout.add("a", 0, audio(3_000))
    expect(played(playout.take(0))).toBe(600)
    expect(playout.nextAt()).toBe(100)
    expect(played(playout.take(99))).toBe(0)
    expect(played(playout.take(100))).toBe(100)
    expect(played(playout.take(400))).toBe(300)
  })

  it("is reported as heard with each mark, and as finished with the last", () => {
    const playout = make()
    playout.add("a", 0, audio(250))
    playout.complete("a", 0)
    const [first = "", second = "", last = ""] = marks(playout.take(0))
    expect(playout.marked(first)).toEqual([{ itemId: "a", contentIndex: 0, heardMs: 100 }])
    expect(playout.marked(first)).toEqual([])
    expect(playout.isIdle()).toBe(false)
    expect(playout.marked(last)).toEqual([{ itemId: "a", contentIndex: 0, heardMs: "finished" }])
    expect(playout.marked(second)).toEqual([])
    expect(playout.isIdle()).toBe(true)
  })

  it("ends with a mark even if its end comes after all of it was sent", () => {
    const playout = make()
    playout.add("a", 0, audio(100))
    expect(marks(playout.take(0)).length).toBe(1)
    playout.complete("a", 0)
    const [last = ""] = marks(playout.take(0))
    expect(playout.marked(last)).toEqual([{ itemId: "a", contentIndex: 0, heardMs: "finished" }])
  })

  it("that is interrupted before it was sent clears nothing, and more of it is not played", () => {
    const playout = make()
    expect(playout.interrupt("a", 0, 0)).toBe(false)
    playout.add("a", 0, audio(100))
    expect(playout.take(0)).toEqual([])
  })

  it("of another part is sent again if the vendor had to clear it", () => {
    const playout = make()
    playout.add("a", 0, audio(200, 1))
    playout.complete("a", 0)
    playout.add("b", 0, audio(200, 2))
    const before = marks(playout.take(0))
    expect(playout.marked(before[0] ?? "")).toMatchObject([{ heardMs: 100 }])
    expect(playout.interrupt("b", 0, 120)).toBe(true)
    const orders = playout.take(120)
    expect(played(orders)).toBe(100)
    for (const old of before) expect(playout.marked(old)).toEqual([])
    expect(playout.marked(marks(orders).at(-1) ?? "")).toEqual([{ itemId: "a", contentIndex: 0, heardMs: "finished" }])
  })

  it("is taken as heard if its marks never come back", () => {
    const playout = make()
    playout.add("a", 0, audio(200))
    playout.complete("a", 0)
    playout.take(0)
    expect(playout.overdue(5_000)).toEqual([])
    expect(playout.nextAt()).toBe(5_100)
    expect(playout.overdue(5_200)).toEqual([{ itemId: "a", contentIndex: 0, heardMs: "finished" }])
  })

  it("beyond ten minutes is not played, and the part does not count as finished", () => {
    const playout = make()
    playout.add("a", 0, audio(600_000))
    playout.add("a", 0, audio(1_000))
    playout.complete("a", 0)
    let heard: number | "finished" = 0
    for (let now = 0; now < 700_000; now += 1_000) {
      const [report] = marks(playout.take(now))
        .flatMap((name) => playout.marked(name))
        .slice(-1)
      heard = report?.heardMs ?? heard
    }
    expect(heard).toBe(600_000)
  })
})

/** What happens in a call, at random. */
const step = FastCheck.oneof(
  {
    weight: 4,
    arbitrary: FastCheck.record({ does: FastCheck.constant("speak"), ms: FastCheck.integer({ min: 1, max: 700 }) })
  },
  { weight: 2, arbitrary: FastCheck.record({ does: FastCheck.constant("end"), ms: FastCheck.constant(0) }) },
  {
    weight: 6,
    arbitrary: FastCheck.record({ does: FastCheck.constant("pass"), ms: FastCheck.integer({ min: 1, max: 400 }) })
  },
  { weight: 2, arbitrary: FastCheck.record({ does: FastCheck.constant("interrupt"), ms: FastCheck.constant(0) }) },
  { weight: 1, arbitrary: FastCheck.record({ does: FastCheck.constant("cancel"), ms: FastCheck.constant(0) }) }
)

/**
 * A call with a vendor whose answers take `delayMs` to arrive: its buffer, the session's own account of what was heard,
 * and how much of each part the vendor really played.
 */
class Call {
  readonly playout: Playout
  readonly playback = new Playback()
  readonly buffer = new PlayBuffer()
  readonly sentMs = new Map<number, number>()
  readonly playedMs = new Map<number, number>()
  readonly underway: Array<{ readonly at: number; readonly name: string }> = []
  now = 0
  part = 1
  isSpeaking = false

  constructor(
    readonly delayMs: number,
    leadMs: number
  ) {
    this.playout = make(leadMs)
  }

  speak(ms: number): void {
    if (!this.isSpeaking) {
      this.isSpeaking = true
      this.playback.responseCreated(`r${this.part}`, false)
    }
    const at = { response_id: `r${this.part}`, item_id: `${this.part}`, content_index: 0 }
    if (!this.playback.received(at, ms * 8, 8_000, this.now)) return
    if (this.playout.add(at.item_id, 0, audio(ms, this.part))) this.report(at.item_id, 0)
    this.pump()
  }

  end(): void {
    if (!this.isSpeaking) return
    this.playback.audioDone({ response_id: `r${this.part}`, item_id: `${this.part}`, content_index: 0 })
    this.playback.responseDone(`r${this.part}`)
    this.playout.complete(`${this.part}`, 0)
    this.isSpeaking = false
    this.part += 1
    this.pump()
  }

  /** The vendor plays, and its marks come back later. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left--) {
      this.now += 1
      const { bytes, marks } = this.buffer.play(8)
      for (const value of bytes) if (value !== 0xff) count(this.playedMs, value, 1 / 8)
      this.send(marks)
      while ((this.underway[0]?.at ?? Number.POSITIVE_INFINITY) <= this.now) {
        for (const { heardMs, itemId } of this.playout.marked(this.underway.shift()?.name ?? "")) {
          this.report(itemId, heardMs)
        }
      }
      this.pump()
    }
  }

  interrupt(): void {
    this.cut(this.playback.interrupted(this.now))
    if (this.isSpeaking) this.part += 1
    this.isSpeaking = false
  }

  /** Only the latest response is stopped. */
  cancel(): void {
    const last = this.isSpeaking ? this.part : this.part - 1
    this.cut(this.playback.cancelled(`r${last}`, this.now))
    if (this.isSpeaking) this.part += 1
    this.isSpeaking = false
  }

  private cut(truncations: ReturnType<Playback["interrupted"]>): void {
    for (const { heardMs, itemId } of truncations) {
      const part = Number(itemId)
      expect(heardMs).toBeLessThanOrEqual((this.playedMs.get(part) ?? 0) + markMs)
      expect(heardMs).toBeLessThanOrEqual(this.sentMs.get(part) ?? 0)
      if (this.playout.interrupt(itemId, 0, this.now)) this.send(this.buffer.clear())
    }
    this.pump()
  }

  private pump(): void {
    for (const order of this.playout.take(this.now)) {
      if (order._tag === "Mark") this.send(this.buffer.mark(order.name))
      else {
        expect(order.bytes.length % 160).toBe(0)
        this.buffer.add(order.bytes)
        count(this.sentMs, order.bytes[0] ?? 0, order.bytes.length / 8)
      }
    }
  }

  private send(marks: ReadonlyArray<string>): void {
    for (const name of marks) this.underway.push({ at: this.now + this.delayMs, name })
  }

  private report(itemId: string, heardMs: number | "finished"): void {
    const report = heardMs === "finished" ? ({ _tag: "Finished" } as const) : ({ _tag: "Heard", heardMs } as const)
    this.playback.reported(itemId, 0, report, this.now)
  }
}

const count = (counts: Map<number, number>, key: number, by: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + by)
}

describe("What counts as heard", () => {
  const program = FastCheck.record({
    delayMs: FastCheck.integer({ min: 0, max: 500 }),
    leadMs: FastCheck.constantFrom(0, 200, 1_000, 60_000),
    steps: FastCheck.array(step, { maxLength: 40 })
  })

  it("is at most what the vendor played and one mark more, and never more than what was sent", () => {
    FastCheck.assert(
      FastCheck.property(program, ({ delayMs, leadMs, steps }) => {
        const call = new Call(delayMs, leadMs)
        for (const { does, ms } of steps) {
          if (does === "speak") call.speak(ms)
          else if (does === "end") call.end()
          else if (does === "pass") call.pass(ms)
          else if (does === "interrupt") call.interrupt()
          else call.cancel()
        }
        // In the end, everything that was not interrupted is heard.
        call.end()
        call.pass(30_000)
        expect(call.playout.isIdle()).toBe(true)
        expect(call.playback.isPlaying(call.now)).toBe(false)
      }),
      { numRuns: numRuns(500) }
    )
  })
})
