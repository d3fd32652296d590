import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import { Incoming } from "../../src/realtimeModel/Incoming.js"

const unlimited = Number.POSITIVE_INFINITY

/** Numbers whose source writes down what it is told. */
const stoppable = (capacity: number, maxSize: number = unlimited) => {
  const said: Array<string> = []
  const incoming = new Incoming<number, string>({
    capacity,
    maxSize,
    source: { pause: () => said.push("pause") > 0, resume: () => said.push("resume") }
  })
  return { incoming, said }
}

const takeUntilEnd = <A, E>(incoming: Incoming<A, E>) =>
  Effect.gen(function* () {
    const taken: Array<A> = []
    const exit = yield* Effect.exit(Effect.forever(Effect.map(incoming.take, (message) => void taken.push(message))))
    return { taken, exit }
  })

describe("Incoming", () => {
  it.effect("keeps what is offered before the first take", () =>
    Effect.gen(function* () {
      const { incoming } = stoppable(10)
      for (const n of [1, 2, 3]) incoming.offer(n, 1)
      expect(yield* incoming.takeAll).toEqual({ messages: [1, 2, 3], end: undefined })
    })
  )

  it.effect("pauses its source when it is full and resumes it when the reader has taken half", () =>
    Effect.gen(function* () {
      const { incoming, said } = stoppable(4)
      for (const n of [1, 2, 3]) incoming.offer(n, 1)
      expect([said, incoming.isPaused]).toEqual([[], false])
      // What the source had read before it paused is not lost.
      for (const n of [4, 5, 6]) expect(incoming.offer(n, 1)).toBe(true)
      expect([said, incoming.isPaused]).toEqual([["pause"], true])
      for (const n of [1, 2, 3]) expect(yield* incoming.take).toBe(n)
      expect([said, incoming.isPaused]).toEqual([["pause"], true])
      expect(yield* incoming.take).toBe(4)
      expect([said, incoming.isPaused]).toEqual([["pause", "resume"], false])
      incoming.offer(7, 1)
      expect((yield* incoming.takeAll).messages).toEqual([5, 6, 7])
      expect(said).toEqual(["pause", "resume"])
    })
  )

  it.effect("pauses its source when few messages are large, and resumes it when half of that is taken", () =>
    Effect.gen(function* () {
      const { incoming, said } = stoppable(1000, 100)
      for (const size of [30, 60]) incoming.offer(size, size)
      expect(said).toEqual([])
      incoming.offer(10, 10)
      expect(said).toEqual(["pause"])
      expect(yield* incoming.take).toBe(30)
      expect(said).toEqual(["pause"])
      expect(yield* incoming.take).toBe(60)
      expect(said).toEqual(["pause", "resume"])
      // What was taken no longer counts.
      incoming.offer(89, 89)
      expect(said).toEqual(["pause", "resume"])
      incoming.offer(1, 1)
      expect(said).toEqual(["pause", "resume", "pause"])
    })
  )

  it.effect("takes a message that is larger than all may be together", () =>
    Effect.gen(function* () {
      const { incoming, said } = stoppable(10, 100)
      expect(incoming.offer(1, 5000)).toBe(true)
      expect(yield* incoming.take).toBe(1)
      expect(said).toEqual(["pause", "resume"])
      const other = new Incoming<number, string>({ capacity: 10, maxSize: 100 })
      expect(other.offer(1, 5000)).toBe(true)
      expect(other.offer(2, 1)).toBe(false)
      expect(yield* other.take).toBe(1)
      expect(other.offer(3, 5000)).toBe(true)
    })
  )

  it.effect.each([
    { title: "count", capacity: 2, maxSize: unlimited },
    { title: "size", capacity: 1000, maxSize: 20 }
  ])("refuses what a source that can't be paused goes on to deliver, by $title", ({ capacity, maxSize }) =>
    Effect.gen(function* () {
      const incoming = new Incoming<number, string>({ capacity, maxSize })
      expect([1, 2, 3, 4, 5].map((n) => incoming.offer(n, 10))).toEqual([true, true, true, true, false])
      expect(incoming.isPaused).toBe(false)
      yield* incoming.take
      expect([6, 7].map((n) => incoming.offer(n, 10))).toEqual([true, false])
    })
  )

  it.effect("loses nothing to a reader that is interrupted", () =>
    Effect.gen(function* () {
      // A fiber can be interrupted where it yields: here after 64 steps, wherever in its reading these end.
      for (let stepsBefore = 0; stepsBefore < 64; stepsBefore++) {
        const { incoming, said } = stoppable(2)
        const steps = Effect.forEach(Array.from({ length: stepsBefore }), () => Effect.void)
        const taken: Array<number> = []
        const reading = Effect.map(incoming.takeAll, ({ messages }) => void taken.push(...messages))
        const reader = yield* Effect.fork(Effect.withMaxOpsBeforeYield(Effect.zipRight(steps, reading), 64))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(reader)
        const next = yield* Effect.fork(reading)
        yield* Effect.yieldNow()
        for (const n of [1, 2]) incoming.offer(n)
        yield* Fiber.join(next)
        expect([stepsBefore, taken, said]).toEqual([stepsBefore, [1, 2], ["pause", "resume"]])
      }
    })
  )

  it.effect("ends after what was offered before", () =>
    Effect.gen(function* () {
      const { incoming } = stoppable(2)
      for (const n of [1, 2, 3]) incoming.offer(n, 1)
      incoming.end()
      incoming.fail("too late")
      expect(incoming.offer(4, 1)).toBe(true)
      const { taken, exit } = yield* takeUntilEnd(incoming)
      expect(taken).toEqual([1, 2, 3])
      expect(String(exit)).toContain("NoSuchElementException")
    })
  )

  it("wakes a listener when there is something and there was nothing, and for the end", () => {
    const { incoming } = stoppable(10)
    let woken = 0
    incoming.offer(1)
    incoming.listen(() => {
      woken += 1
    })
    expect(woken).toBe(1)
    incoming.offer(2)
    expect([woken, incoming.length]).toEqual([1, 2])
    expect(incoming.takeNow()).toEqual({ messages: [1, 2], end: undefined })
    incoming.offer(3)
    expect(woken).toBe(2)
    // The listener knows of something that waits: the end comes with it.
    incoming.fail("lost")
    expect(woken).toBe(2)
    expect(incoming.takeNow()).toEqual({ messages: [3], end: { _tag: "Failed", error: "lost" } })
    const { incoming: other } = stoppable(10)
    other.listen(() => {
      woken += 1
    })
    other.end()
    expect([woken, other.takeNow()]).toEqual([3, { messages: [], end: { _tag: "Ended" } }])
  })

  it("delivers everything in order, then fails, and holds no more than it may, whatever the reader's pace", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }) },
            {
              weight: 3,
              arbitrary: fc.constantFrom("take" as const, "takeAll" as const, "takeNow" as const, "yield" as const)
            }
          ),
          { maxLength: 100, size: "max" }
        ),
        (capacity, maxSize, pauses, steps) =>
          Effect.gen(function* () {
            let paused = false
            const incoming = new Incoming<number, string>({
              capacity,
              maxSize,
              source: {
                pause: () => {
                  paused = true
                  return pauses
                },
                resume: () => {
                  paused = false
                }
              }
            })
            const offered: Array<number> = []
            const taken: Array<number> = []
            for (const step of steps) {
              const waiting = offered.slice(taken.length)
              const size = waiting.reduce((sum, n) => sum + n, 0)
              if (typeof step === "number") {
                if (pauses) {
                  // A source that obeys at once: what it still holds is offered when it is resumed.
                  expect(paused).toBe(incoming.isPaused)
                  if (paused) continue
                  expect(waiting.length < capacity && size < maxSize).toBe(true)
                }
                if (incoming.offer(step, step)) offered.push(step)
                else {
                  expect(pauses).toBe(false)
                  expect(waiting.length === 2 * capacity || size + step > 2 * maxSize).toBe(true)
                }
              } else if (step === "yield") yield* Effect.yieldNow()
              else if (waiting.length === 0) {
                // Nothing may wait for a reader that has taken everything.
                expect(pauses && paused).toBe(false)
              } else if (step === "take") taken.push(yield* incoming.take)
              else if (step === "takeAll") taken.push(...(yield* incoming.takeAll).messages)
              else taken.push(...incoming.takeNow().messages)
            }
            incoming.fail("lost")
            const rest = yield* takeUntilEnd(incoming)
            expect([...taken, ...rest.taken]).toEqual(offered)
            expect(String(rest.exit)).toContain("lost")
          }).pipe(Effect.runPromise)
      ),
      // A lost message shows as a take that waits for ever.
      { timeout: 5000 }
    ))
})
