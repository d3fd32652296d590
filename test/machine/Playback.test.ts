import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Playback from "../../src/machine/Playback.js"
import { numRuns } from "../runs.js"

const pcm = 48_000
const g711 = 8_000

/** A playback with a clock that the test sets. */
const make = () => {
  const playback = new Playback.Playback()
  let now = 1_000_000
  const at = (itemId: string, responseId = "r1", contentIndex = 0): Playback.Position => ({
    response_id: responseId,
    item_id: itemId,
    content_index: contentIndex
  })
  return {
    playback,
    wait: (ms: number) => {
      now += ms
    },
    receive: (itemId: string, ms: number, responseId = "r1", rate = pcm) =>
      playback.received(at(itemId, responseId), (ms * rate) / 1000, rate, now),
    done: (itemId: string, responseId = "r1") => playback.audioDone(at(itemId, responseId)),
    report: (itemId: string, heardMs: number) => playback.reported(itemId, 0, { _tag: "Heard", heardMs }, now),
    finish: (itemId: string) => playback.reported(itemId, 0, { _tag: "Finished" }, now),
    heard: (itemId: string) => playback.heardMs(itemId, 0, now),
    cancel: (responseId: string) => playback.cancelled(responseId, now),
    interrupt: () => playback.interrupted(now),
    isPlaying: () => playback.isPlaying(now),
    endsIn: () => {
      const end = playback.endsAt(now)
      return end === undefined ? undefined : end - now
    }
  }
}

const cuts = (truncations: ReadonlyArray<Playback.Truncation>) =>
  truncations.map(({ itemId, heardMs }) => [itemId, heardMs] as const)

describe("the estimate of what was heard", () => {
  it("starts at the first audio of an item, runs at its rate, and ends at what was received", () => {
    const { endsIn, heard, isPlaying, receive, wait } = make()
    wait(500)
    receive("a", 300, "r1", g711)
    wait(200)
    expect(heard("a")).toBe(200)
    expect(endsIn()).toBe(100)
    wait(200)
    expect(heard("a")).toBe(300)
    expect(isPlaying()).toBe(false)
    expect(endsIn()).toBeUndefined()
  })

  it("waits while the speaker has nothing to play, and never catches up on that", () => {
    const { heard, receive, wait } = make()
    receive("a", 100)
    wait(1000)
    receive("a", 100)
    expect(heard("a")).toBe(100)
    wait(40)
    expect(heard("a")).toBe(140)
  })

  it("plays items one after the other, also those of one response", () => {
    const { endsIn, heard, receive, wait } = make()
    receive("a", 300)
    receive("b", 300, "r1", g711)
    receive("c", 300, "r2")
    wait(450)
    expect([heard("a"), heard("b"), heard("c")]).toEqual([300, 150, 0])
    expect(endsIn()).toBe(450)
  })

  it("does not wait for an item that is still generated while another has audio, and plays its rest behind", () => {
    const { heard, receive, wait } = make()
    receive("a", 100)
    receive("b", 200, "r2")
    wait(150)
    receive("a", 100)
    wait(100)
    expect([heard("a"), heard("b")]).toEqual([100, 150])
    wait(100)
    expect([heard("a"), heard("b")]).toEqual([150, 200])
  })

  it("goes on after generation has ended", () => {
    const { done, heard, playback, receive, wait } = make()
    playback.responseCreated("r1", false)
    receive("a", 5000)
    done("a")
    playback.responseDone("r1")
    wait(3000)
    expect(heard("a")).toBe(3000)
  })

  it("goes on from where it was when the clock is set back", () => {
    const { heard, receive, wait } = make()
    receive("a", 1000)
    wait(100)
    expect(heard("a")).toBe(100)
    wait(-5000)
    expect(heard("a")).toBe(100)
    wait(50)
    expect(heard("a")).toBe(150)
  })

  it("ends when everything was played, with several items waiting", () => {
    const { endsIn, receive } = make()
    receive("a", 100)
    receive("b", 50)
    receive("b", 50)
    receive("a", 50)
    expect(endsIn()).toBe(250)
  })

  it("ends on the millisecond, though the lengths of its items are fractions that add up", () => {
    for (let bytes = 1; bytes <= 48; bytes += 1) {
      const { endsIn, isPlaying, receive, wait } = make()
      for (let index = 0; index < 48; index += 1) receive(`i${index}`, bytes / 48)
      expect(endsIn()).toBe(bytes)
      wait(bytes)
      expect(isPlaying(), `48 items of ${bytes} bytes`).toBe(false)
    }
  })

  it("knows nothing about items that never had audio", () => {
    const { heard, isPlaying, receive } = make()
    expect(receive("a", 0)).toBe(true)
    expect(heard("a")).toBeUndefined()
    expect(isPlaying()).toBe(false)
  })
})

describe("interruption", () => {
  it("cuts each item that was not heard to its end, in the order of playing, and only those", () => {
    const { done, interrupt, isPlaying, receive, wait } = make()
    for (const itemId of ["a", "b", "c"]) {
      receive(itemId, 200)
      done(itemId)
    }
    wait(350)
    expect(interrupt()).toEqual([
      { responseId: "r1", itemId: "b", contentIndex: 0, heardMs: 150, inConversation: true },
      { responseId: "r1", itemId: "c", contentIndex: 0, heardMs: 0, inConversation: true }
    ])
    expect(isPlaying()).toBe(false)
  })

  it("cuts what still plays after its response is done", () => {
    const { interrupt, playback, receive, wait } = make()
    receive("a", 4000)
    playback.responseDone("r1")
    wait(1500)
    expect(cuts(interrupt())).toEqual([["a", 1500]])
  })

  it("cuts in whole milliseconds, and nothing for less than one", () => {
    const { heard, interrupt, playback, receive, wait } = make()
    receive("a", 100.5)
    playback.responseDone("r1")
    wait(100)
    expect(heard("a")).toBe(100)
    expect(interrupt()).toEqual([])

    receive("b", 100.5, "r2")
    wait(1000)
    expect(cuts(interrupt())).toEqual([["b", 100]])
  })

  it("cuts an item that was heard as far as it came, for more of it may be on its way", () => {
    const { interrupt, receive, wait } = make()
    receive("a", 100)
    wait(300)
    expect(cuts(interrupt())).toEqual([["a", 100]])
    expect(receive("a", 100)).toBe(false)
  })

  it("truncates once, however often it comes", () => {
    const { heard, interrupt, receive, wait } = make()
    receive("a", 500)
    wait(100)
    expect(cuts(interrupt())).toEqual([["a", 100]])
    wait(100)
    expect(interrupt()).toEqual([])
    expect(heard("a")).toBe(100)
  })

  it("truncates nothing before the first audio, and does not play what comes of that response", () => {
    const { interrupt, isPlaying, playback, receive } = make()
    playback.responseCreated("r1", false)
    expect(interrupt()).toEqual([])
    expect(playback.accepts("r1")).toBe(false)
    expect(receive("a", 100)).toBe(false)
    expect(isPlaying()).toBe(false)
    playback.responseCreated("r2", false)
    expect(receive("b", 100, "r2")).toBe(true)
  })

  it("stays in force for a response that ends afterwards", () => {
    const { interrupt, playback, receive } = make()
    playback.responseCreated("r1", false)
    receive("a", 100)
    interrupt()
    playback.responseDone("r1")
    expect(receive("b", 100)).toBe(false)
  })

  it("stops out-of-band audio that is heard, which the server cannot truncate, and lets silent ones be", () => {
    const { interrupt, playback, receive, wait } = make()
    playback.responseCreated("r1", true)
    playback.responseCreated("r2", true)
    receive("a", 500)
    wait(100)
    expect(interrupt()).toMatchObject([{ itemId: "a", heardMs: 100, inConversation: false }])
    expect(playback.accepts("r1")).toBe(false)
    expect(playback.accepts("r2")).toBe(true)
  })

  it("cancels one response without a word about the others", () => {
    const { cancel, heard, playback, receive, wait } = make()
    receive("a", 300)
    receive("b", 300, "r2")
    wait(100)
    expect(cuts(cancel("r1"))).toEqual([["a", 100]])
    expect(cancel("r1")).toEqual([])
    expect(playback.accepts("r1")).toBe(false)
    expect(playback.accepts("r2")).toBe(true)
    wait(50)
    expect([heard("a"), heard("b")]).toEqual([100, 50])
  })

  it("cuts nothing in a conversation that does not have the items", () => {
    const { interrupt, isPlaying, playback, receive, wait } = make()
    receive("a", 500)
    playback.connectionReplaced()
    wait(100)
    expect(isPlaying()).toBe(true)
    expect(interrupt()).toMatchObject([{ itemId: "a", heardMs: 100, inConversation: false }])
  })
})

describe("reports of the application", () => {
  it("replace the estimate, and stay in force until the next", () => {
    const { heard, interrupt, receive, report, wait } = make()
    receive("a", 1000)
    wait(500)
    expect(heard("a")).toBe(500)
    report("a", 300)
    wait(500)
    expect(heard("a")).toBe(300)
    report("a", 200)
    expect(heard("a")).toBe(300)
    expect(cuts(interrupt())).toEqual([["a", 300]])
  })

  it("cannot be of more than was received", () => {
    const { heard, interrupt, receive, report } = make()
    receive("a", 100)
    report("a", 5000)
    expect(heard("a")).toBe(100)
    receive("a", 400)
    expect(cuts(interrupt())).toEqual([["a", 100]])
  })

  it("hold the item behind until the end is reported", () => {
    const { done, finish, heard, interrupt, receive, report, wait } = make()
    receive("a", 300)
    done("a")
    receive("b", 300)
    report("a", 0)
    wait(1000)
    expect([heard("a"), heard("b")]).toEqual([0, 0])
    finish("a")
    wait(100)
    expect(cuts(interrupt())).toEqual([["b", 100]])
  })

  it("take back what was thought heard of the items behind", () => {
    const { endsIn, heard, playback, receive, report, wait } = make()
    receive("a", 300)
    receive("b", 100)
    receive("c", 300)
    playback.responseDone("r1")
    wait(500)
    expect([heard("a"), heard("b"), heard("c")]).toEqual([300, 100, 100])
    report("a", 250)
    expect([heard("a"), heard("b"), heard("c")]).toEqual([250, 0, 0])
    expect(endsIn()).toBe(450)
    report("a", 300)
    wait(50)
    expect(heard("b")).toBe(50)
  })

  it("say that the complete items before are over, though their end was not reported", () => {
    const { done, interrupt, receive, report, wait } = make()
    receive("a", 300)
    done("a")
    receive("b", 300)
    wait(250)
    report("a", 200)
    report("b", 40)
    expect(cuts(interrupt())).toEqual([["b", 40]])
  })

  it("reach the end of an item in whole milliseconds", () => {
    const { done, heard, interrupt, isPlaying, receive, report } = make()
    receive("a", 100.5)
    done("a")
    report("a", 100)
    expect(heard("a")).toBe(100.5)
    expect(isPlaying()).toBe(false)
    expect(interrupt()).toEqual([])
  })

  it("do nothing for an item that is unknown or was cut, or where they are not a number", () => {
    const { finish, heard, interrupt, receive, report, wait } = make()
    report("a", 100)
    expect(heard("a")).toBeUndefined()
    receive("a", 300)
    report("a", Number.NaN)
    wait(100)
    expect(cuts(interrupt())).toEqual([["a", 100]])
    finish("a")
    expect(heard("a")).toBe(100)
    expect(interrupt()).toEqual([])
  })
})

describe("Boundedness", () => {
  it("remembers the last of the items that were heard", () => {
    const { done, heard, receive, wait } = make()
    const itemIds = Array.from({ length: 500 }, (_, index) => `i${index}`)
    for (const itemId of itemIds) {
      receive(itemId, 1)
      done(itemId)
      wait(1)
    }
    expect(itemIds.filter((itemId) => heard(itemId) !== undefined)).toEqual(itemIds.slice(-64))
  })

  it("takes the oldest for heard when more than it remembers is unheard", () => {
    const { heard, interrupt, receive, wait } = make()
    for (let index = 0; index < 500; index += 1) receive(`i${index}`, 10)
    wait(10)
    expect(heard("i435")).toBeUndefined()
    expect(heard("i436")).toBe(10)
    expect(heard("i437")).toBe(0)
    expect(interrupt().length).toBe(64)
  })

  it("keeps an item that is not heard while others behind it come and go", () => {
    const { done, finish, heard, interrupt, receive } = make()
    receive("open", 1000)
    for (let index = 0; index < 500; index += 1) {
      receive(`i${index}`, 1)
      done(`i${index}`)
      finish(`i${index}`)
    }
    expect(heard("open")).toBe(0)
    expect(cuts(interrupt())).toEqual([["open", 0]])
  })
})

/** A second account of the speaker: millisecond by millisecond, in whole samples of the finest rate. */
const samplesPerMs = 48
const simulate = () => {
  const received = new Map<string, number>()
  const heard = new Map<string, number>()
  const unheard = (key: string) => (received.get(key) ?? 0) - (heard.get(key) ?? 0)
  const millisecond = () => {
    let left = samplesPerMs
    for (const key of received.keys()) {
      const played = Math.min(left, unheard(key))
      heard.set(key, (heard.get(key) ?? 0) + played)
      left -= played
    }
  }
  return {
    receive: (key: string, samples: number) => received.set(key, (received.get(key) ?? 0) + samples),
    millisecond,
    heardMs: (key: string) => (heard.get(key) ?? 0) / samplesPerMs,
    wholeHeardMs: (key: string) => Math.floor((heard.get(key) ?? 0) / samplesPerMs),
    wholeReceivedMs: (key: string) => Math.floor((received.get(key) ?? 0) / samplesPerMs),
    isPlaying: () => Array.from(received.keys()).some((key) => unheard(key) > 0),
    keys: () => Array.from(received.keys())
  }
}

describe("the estimate, over random arrivals", () => {
  const chunk = fc.record({
    wait: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 3, arbitrary: fc.nat(60) }),
    bytes: fc.integer({ min: 1, max: 3000 }),
    /** Whether it begins the next item, and ends the one before. */
    next: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    asks: fc.boolean()
  })

  it("is what a simulation of the speaker in steps of a millisecond hears, and cuts where it is", () => {
    fc.assert(
      fc.property(
        fc.array(chunk, { minLength: 1, maxLength: 25 }),
        fc.array(fc.constantFrom(pcm, g711), { minLength: 26, maxLength: 26 }),
        fc.nat(400),
        fc.boolean(),
        (chunks, rates, rest, doneAtEnd) => {
          const playback = new Playback.Playback()
          const speaker = simulate()
          let now = 5_000
          let item = 0
          const at = (): Playback.Position => ({
            response_id: `r${item >> 2}`,
            item_id: `i${item >> 1}`,
            content_index: item & 1
          })
          const key = (index: number) => `${index >> 1}/${index & 1}`
          const wait = (ms: number) => {
            for (let step = 0; step < ms; step += 1) speaker.millisecond()
            now += ms
          }
          const check = () => {
            for (let index = 0; index <= item; index += 1) {
              const heard = playback.heardMs(`i${index >> 1}`, index & 1, now)
              if (heard !== undefined) expect(heard).toBeCloseTo(speaker.heardMs(key(index)), 5)
              else expect(speaker.keys()).not.toContain(key(index))
            }
            expect(playback.isPlaying(now)).toBe(speaker.isPlaying())
          }
          for (const { asks, bytes, next, wait: ms } of chunks) {
            wait(ms)
            if (asks) check()
            if (next) {
              playback.audioDone(at())
              item += 1
            }
            const rate = rates[item] ?? pcm
            const samples = rate === pcm ? bytes : bytes * (pcm / g711)
            expect(playback.received(at(), bytes, rate, now)).toBe(true)
            speaker.receive(key(item), samples)
          }
          if (doneAtEnd) playback.audioDone(at())
          wait(rest)
          check()

          const isCut = (index: string) =>
            (index === key(item) && !doneAtEnd) || speaker.wholeHeardMs(index) < speaker.wholeReceivedMs(index)
          const expected = speaker
            .keys()
            .filter(isCut)
            .map((index) => [index, speaker.wholeHeardMs(index)])
          const end = playback.endsAt(now)
          const truncations = playback.interrupted(now)
          expect(truncations.map((cut) => [`${cut.itemId.slice(1)}/${cut.contentIndex}`, cut.heardMs])).toEqual(
            expected
          )

          let playsFor = 0
          for (; speaker.isPlaying(); playsFor += 1) speaker.millisecond()
          expect(end).toBe(playsFor === 0 ? undefined : now + playsFor)
        }
      ),
      { numRuns: numRuns(2000) }
    )
  })
})

/** What may happen, in any order, with responses and items that mix. */
const items = ["a", "b", "c", "d", "e"] as const
const responseOf = { a: "r1", b: "r1", c: "r2", d: "r2", e: "r3" } as const
const responseIds = ["r1", "r2", "r3"] as const
const item = fc.constantFrom(...items)
const audio = fc.record({
  _tag: fc.constant("audio" as const),
  item,
  bytes: fc.integer({ min: 0, max: 20_000 })
})
const wait = fc.record({ _tag: fc.constant("wait" as const), ms: fc.nat(500) })
const done = fc.record({ _tag: fc.constant("done" as const), item })
const created = fc.record({ _tag: fc.constant("created" as const), response: fc.constantFrom(...responseIds) })
const ended = fc.record({ _tag: fc.constant("ended" as const), response: fc.constantFrom(...responseIds) })
const reported = fc.record({
  _tag: fc.constant("reported" as const),
  item,
  heardMs: fc.option(fc.double({ min: -10, max: 1500, noNaN: true }))
})
const cancelled = fc.record({ _tag: fc.constant("cancelled" as const), response: fc.constantFrom(...responseIds) })
const interrupted = fc.record({ _tag: fc.constant("interrupted" as const) })
const generation = [
  { weight: 6, arbitrary: audio },
  { weight: 5, arbitrary: wait },
  { weight: 2, arbitrary: done },
  { weight: 1, arbitrary: created },
  { weight: 1, arbitrary: ended }
]
type Happening =
  | { readonly _tag: "audio"; readonly item: (typeof items)[number]; readonly bytes: number }
  | { readonly _tag: "wait"; readonly ms: number }
  | { readonly _tag: "done"; readonly item: (typeof items)[number] }
  | { readonly _tag: "created" | "ended" | "cancelled"; readonly response: (typeof responseIds)[number] }
  | { readonly _tag: "reported"; readonly item: (typeof items)[number]; readonly heardMs: number | null }
  | { readonly _tag: "interrupted" }

/** Drives the machine, and keeps its own account of what came, what was refused, and what was cut. `r3` is out of band. */
const play = () => {
  const playback = new Playback.Playback()
  let now = 0
  const received = new Map<string, number>()
  const receivedMs = (itemId: string) => ((received.get(itemId) ?? 0) * 1000) / pcm
  const begunAt = new Map<string, number>()
  const complete = new Set<string>()
  const known = new Set(["r3"])
  const live = new Set<string>()
  const announce = (response: string): void => {
    if (!known.has(response)) live.add(response)
    known.add(response)
  }
  const refused = new Set<string>()
  const cut = new Set<string>()
  const reports = new Map<string, number>()
  const of = (response: string): ReadonlyArray<string> =>
    items.filter((item) => received.has(item) && responseOf[item] === response)
  const heardMs = (itemId: string) => playback.heardMs(itemId, 0, now) ?? 0
  const isOver = (itemId: string) =>
    cut.has(itemId) || (complete.has(itemId) && Math.floor(heardMs(itemId) + 1e-6) >= Math.floor(receivedMs(itemId)))
  const stop = (expected: ReadonlyArray<string>, truncations: ReadonlyArray<Playback.Truncation>) => {
    expect(truncations.map(({ itemId }) => itemId)).toEqual(expected)
    for (const { heardMs: heard, inConversation, itemId, responseId } of truncations) {
      expect(Number.isInteger(heard)).toBe(true)
      expect(heard).toBeGreaterThanOrEqual(0)
      expect(heard).toBeLessThanOrEqual(receivedMs(itemId))
      expect(Math.abs(heard - heardMs(itemId))).toBeLessThan(1)
      expect(inConversation).toBe(responseId !== "r3")
      cut.add(itemId)
      refused.add(responseId)
    }
  }
  const open = () => Array.from(received.keys()).filter((itemId) => !isOver(itemId))
  playback.responseCreated("r3", true)

  const step = (happening: Happening): void => {
    switch (happening._tag) {
      case "audio": {
        const { bytes, item } = happening
        const response = responseOf[item]
        const position = { response_id: response, item_id: item, content_index: 0 }
        expect(playback.received(position, bytes, pcm, now)).toBe(!refused.has(response))
        if (refused.has(response) || bytes === 0) break
        announce(response)
        if (!begunAt.has(item)) begunAt.set(item, now)
        received.set(item, (received.get(item) ?? 0) + bytes)
        break
      }
      case "wait":
        now += happening.ms
        break
      case "done":
        playback.audioDone({ response_id: responseOf[happening.item], item_id: happening.item, content_index: 0 })
        if (received.has(happening.item)) complete.add(happening.item)
        break
      case "created":
        playback.responseCreated(happening.response, false)
        announce(happening.response)
        break
      case "ended":
        playback.responseDone(happening.response)
        live.delete(happening.response)
        for (const item of of(happening.response)) complete.add(item)
        break
      case "reported": {
        const { heardMs: reportedMs, item } = happening
        const report: Playback.Report =
          reportedMs === null ? { _tag: "Finished" } : { _tag: "Heard", heardMs: reportedMs }
        playback.reported(item, 0, report, now)
        if (!received.has(item) || cut.has(item)) break
        const isAtEnd = reportedMs === null || reportedMs >= Math.floor(receivedMs(item))
        const value = isAtEnd ? receivedMs(item) : reportedMs
        reports.set(item, Math.max(reports.get(item) ?? 0, value))
        break
      }
      case "cancelled":
        stop(
          open().filter((item) => of(happening.response).includes(item)),
          playback.cancelled(happening.response, now)
        )
        announce(happening.response)
        refused.add(happening.response)
        for (const item of of(happening.response)) cut.add(item)
        break
      case "interrupted":
        stop(open(), playback.interrupted(now))
        expect(playback.isPlaying(now)).toBe(false)
        expect(playback.endsAt(now)).toBeUndefined()
        expect(playback.interrupted(now)).toEqual([])
        for (const response of live) refused.add(response)
        for (const item of received.keys()) cut.add(item)
        for (const response of responseIds) if (of(response).length > 0) refused.add(response)
        for (const response of responseIds) expect(playback.accepts(response)).toBe(!refused.has(response))
        break
    }
  }

  return {
    step: (happening: Happening): void => {
      step(happening)
      for (const item of received.keys()) expect(heardMs(item)).toBeLessThanOrEqual(receivedMs(item))
    },
    total: () => Array.from(received.keys()).reduce((sum, item) => sum + heardMs(item), 0),
    unheard: () => Array.from(received.keys()).reduce((sum, item) => sum + receivedMs(item) - heardMs(item), 0),
    elapsed: (item: string) => now - (begunAt.get(item) ?? now),
    items: () => Array.from(received.keys()),
    complete,
    reports,
    heardMs
  }
}

describe("playback, over random interleavings", () => {
  const runs = { numRuns: numRuns(2000) }

  it("hears what it received, in real time, and a millisecond of it in each while there is any", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(...generation), { maxLength: 40 }), (happenings) => {
        const { elapsed, heardMs, items, step, total, unheard } = play()
        for (const happening of happenings) {
          const before = new Map(items().map((item) => [item, heardMs(item)]))
          const expected = total() + (happening._tag === "wait" ? Math.min(happening.ms, unheard()) : 0)
          step(happening)
          expect(total()).toBeCloseTo(expected, 5)
          for (const item of items()) {
            expect(heardMs(item)).toBeGreaterThanOrEqual(before.get(item) ?? 0)
            expect(heardMs(item)).toBeLessThanOrEqual(elapsed(item) + 1e-5)
          }
        }
      }),
      runs
    )
  })

  it("cuts what was not heard to its end, and that once, whenever it is interrupted", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            ...generation,
            { weight: 2, arbitrary: reported },
            { weight: 1, arbitrary: cancelled },
            { weight: 1, arbitrary: interrupted }
          ),
          { maxLength: 40 }
        ),
        (happenings) => {
          const { step } = play()
          for (const happening of happenings) step(happening)
          step({ _tag: "interrupted" })
        }
      ),
      runs
    )
  })

  it("believes the application's reports, whatever the time and whatever else comes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(...generation, { weight: 4, arbitrary: reported }), { maxLength: 40 }),
        (happenings) => {
          const { complete, heardMs, items, reports, step } = play()
          for (const happening of happenings) {
            step(happening)
            for (const [item, reportedMs] of reports) {
              const behind = items().slice(items().indexOf(item) + 1)
              // A report of an item after a complete one means that the complete one is over.
              const mayBeOver = complete.has(item) && behind.some((itemId) => (reports.get(itemId) ?? 0) > 0)
              if (heardMs(item) === reportedMs) continue
              expect(mayBeOver, `${item} was reported at ${reportedMs}, and is at ${heardMs(item)}`).toBe(true)
              expect(heardMs(item)).toBeGreaterThan(reportedMs)
            }
          }
        }
      ),
      runs
    )
  })
})
