import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Inbox from "../../src/openai/Inbox.js"

const unlimited = Number.POSITIVE_INFINITY
const unstoppable = { onFull: () => false, onDrained: () => {} }

/** An inbox of numbers whose source writes down what it is told. */
const stoppable = (capacity: number, maxSize: number = unlimited) =>
  Effect.gen(function* () {
    const said: Array<string> = []
    const inbox = yield* Inbox.make<number, string>({
      capacity,
      maxSize,
      onFull: () => said.push("pause") > 0,
      onDrained: () => said.push("resume")
    })
    return { inbox, said }
  })

const takeUntilEnd = <A, E>(inbox: Inbox.Inbox<A, E>) =>
  Effect.gen(function* () {
    const taken: Array<A> = []
    const exit = yield* Effect.exit(
      Effect.forever(Effect.map(inbox.messages.take, (message) => void taken.push(message)))
    )
    return { taken, exit }
  })

describe("Inbox", () => {
  it.effect("keeps what is offered before the first take", () =>
    Effect.gen(function* () {
      const { inbox } = yield* stoppable(10)
      for (const n of [1, 2, 3]) inbox.offer(n, 1)
      const [messages] = yield* inbox.messages.takeAll
      expect(Chunk.toArray(messages)).toEqual([1, 2, 3])
    })
  )

  it.effect("pauses its source when it is full and resumes it when the reader has taken half", () =>
    Effect.gen(function* () {
      const { inbox, said } = yield* stoppable(4)
      for (const n of [1, 2, 3]) inbox.offer(n, 1)
      expect([said, inbox.paused()]).toEqual([[], false])
      // What the source had read before it paused is not lost.
      for (const n of [4, 5, 6]) expect(inbox.offer(n, 1)).toBe(true)
      expect([said, inbox.paused()]).toEqual([["pause"], true])
      for (const n of [1, 2, 3]) expect(yield* inbox.messages.take).toBe(n)
      expect([said, inbox.paused()]).toEqual([["pause"], true])
      expect(yield* inbox.messages.take).toBe(4)
      expect([said, inbox.paused()]).toEqual([["pause", "resume"], false])
      inbox.offer(7, 1)
      expect(Chunk.toArray((yield* inbox.messages.takeAll)[0])).toEqual([5, 6, 7])
      expect(said).toEqual(["pause", "resume"])
    })
  )

  it.effect("pauses its source when few messages are large, and resumes it when half of that is taken", () =>
    Effect.gen(function* () {
      const { inbox, said } = yield* stoppable(1000, 100)
      for (const size of [30, 60]) inbox.offer(size, size)
      expect(said).toEqual([])
      inbox.offer(10, 10)
      expect(said).toEqual(["pause"])
      expect(yield* inbox.messages.take).toBe(30)
      expect(said).toEqual(["pause"])
      expect(yield* inbox.messages.take).toBe(60)
      expect(said).toEqual(["pause", "resume"])
      // What was taken no longer counts.
      inbox.offer(89, 89)
      expect(said).toEqual(["pause", "resume"])
      inbox.offer(1, 1)
      expect(said).toEqual(["pause", "resume", "pause"])
    })
  )

  it.effect("takes a message that is larger than all may be together", () =>
    Effect.gen(function* () {
      const { inbox, said } = yield* stoppable(10, 100)
      expect(inbox.offer(1, 5000)).toBe(true)
      expect(yield* inbox.messages.take).toBe(1)
      expect(said).toEqual(["pause", "resume"])
      const other = yield* Inbox.make<number, string>({ capacity: 10, maxSize: 100, ...unstoppable })
      expect(other.offer(1, 5000)).toBe(true)
      expect(other.offer(2, 1)).toBe(false)
      expect(yield* other.messages.take).toBe(1)
      expect(other.offer(3, 5000)).toBe(true)
    })
  )

  it.effect.each([
    { title: "count", capacity: 2, maxSize: unlimited },
    { title: "size", capacity: 1000, maxSize: 20 }
  ])("refuses what a source that can't be paused goes on to deliver, by $title", ({ capacity, maxSize }) =>
    Effect.gen(function* () {
      const inbox = yield* Inbox.make<number, string>({ capacity, maxSize, ...unstoppable })
      expect([1, 2, 3, 4, 5].map((n) => inbox.offer(n, 10))).toEqual([true, true, true, true, false])
      expect(inbox.paused()).toBe(false)
      yield* inbox.messages.take
      expect([6, 7].map((n) => inbox.offer(n, 10))).toEqual([true, false])
    })
  )

  it.effect("resumes its source for a reader that comes after an interrupted one", () =>
    Effect.gen(function* () {
      let between = 0
      // A fiber can be interrupted where it yields: here after 64 steps, wherever in its reading these end.
      for (let stepsBefore = 0; stepsBefore < 64; stepsBefore++) {
        const { inbox, said } = yield* stoppable(2)
        for (const n of [1, 2]) inbox.offer(n, 1)
        const steps = Effect.forEach(Array.from({ length: stepsBefore }), () => Effect.void)
        const reading = Effect.zipRight(steps, inbox.messages.takeAll)
        const reader = yield* Effect.fork(Effect.withMaxOpsBeforeYield(reading, 64))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(reader)
        const unnoticed = Option.getOrNull(inbox.messages.unsafeSize()) === 0 && inbox.paused()
        if (unnoticed) between += 1
        const next = yield* Effect.fork(inbox.messages.takeAll)
        yield* Effect.yieldNow()
        expect([stepsBefore, said]).toEqual([stepsBefore, ["pause", "resume"]])
        inbox.offer(3, 1)
        yield* Fiber.join(next)
      }
      expect(between).toBeGreaterThan(0)
    })
  )

  it.effect("ends after what was offered before", () =>
    Effect.gen(function* () {
      const { inbox } = yield* stoppable(2)
      for (const n of [1, 2, 3]) inbox.offer(n, 1)
      yield* inbox.end
      expect(inbox.offer(4, 1)).toBe(true)
      const { taken, exit } = yield* takeUntilEnd(inbox)
      expect(taken).toEqual([1, 2, 3])
      expect(String(exit)).toContain("NoSuchElementException")
    })
  )

  it.effect("is a mailbox, for everything that reads one", () =>
    Effect.gen(function* () {
      const { inbox, said } = yield* stoppable(6)
      const { messages } = inbox
      expect(Mailbox.isReadonlyMailbox(messages)).toBe(true)
      for (const n of [1, 2, 3, 4, 5, 6]) inbox.offer(n, 1)
      expect(yield* messages.size).toEqual(Option.some(6))
      expect(JSON.parse(JSON.stringify(messages))).toMatchObject({ _id: "effect/Mailbox", size: { value: 6 } })
      expect(String(messages)).toContain("effect/Mailbox")
      expect(Chunk.toArray((yield* messages.takeN(2))[0])).toEqual([1, 2])
      expect(said).toEqual(["pause"])
      expect(Chunk.toArray(yield* messages.clear)).toEqual([3, 4, 5, 6])
      expect(said).toEqual(["pause", "resume"])
      inbox.offer(7, 1)
      expect(Chunk.toArray((yield* messages)[0])).toEqual([7])
      inbox.offer(8, 1)
      inbox.fail("lost")
      const read = yield* Stream.runCollect(Stream.either(Mailbox.toStream(messages)))
      expect(Chunk.toArray(read)).toMatchObject([{ right: 8 }, { left: "lost" }])
      expect(messages.unsafeSize()).toEqual(Option.none())
      expect(yield* Effect.flip(messages.await)).toBe("lost")
    })
  )

  it("delivers everything in order, then fails, and holds no more than it may, whatever the reader's pace", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: fc.integer({ min: 1, max: 30 }) },
            { weight: 3, arbitrary: fc.constantFrom("take" as const, "takeAll" as const, "yield" as const) }
          ),
          { maxLength: 100, size: "max" }
        ),
        (capacity, maxSize, pauses, steps) =>
          Effect.gen(function* () {
            let paused = false
            const inbox = yield* Inbox.make<number, string>({
              capacity,
              maxSize,
              onFull: () => {
                paused = true
                return pauses
              },
              onDrained: () => {
                paused = false
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
                  expect(paused).toBe(inbox.paused())
                  if (paused) continue
                  expect(waiting.length < capacity && size < maxSize).toBe(true)
                }
                if (inbox.offer(step, step)) offered.push(step)
                else {
                  expect(pauses).toBe(false)
                  expect(waiting.length === 2 * capacity || size + step > 2 * maxSize).toBe(true)
                }
              } else if (step === "yield") yield* Effect.yieldNow()
              else if (waiting.length === 0) {
                // Nothing may wait for a reader that has taken everything.
                expect(pauses && paused).toBe(false)
              } else if (step === "take") taken.push(yield* inbox.messages.take)
              else taken.push(...(yield* inbox.messages.takeAll)[0])
            }
            inbox.fail("lost")
            const rest = yield* takeUntilEnd(inbox)
            expect([...taken, ...rest.taken]).toEqual(offered)
            expect(String(rest.exit)).toContain("lost")
          }).pipe(Effect.runPromise)
      ),
      // A lost message shows as a take that waits for ever.
      { timeout: 5000 }
    ))
})
