import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Inbox from "../../src/openai/Inbox.js"

const quiet = { onFull: () => false, onDrained: () => {} }

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
      const inbox = yield* Inbox.make<number, string>({
        capacity: 10,
        ...quiet
      })
      for (const n of [1, 2, 3]) inbox.offer(n)
      const [messages] = yield* inbox.messages.takeAll
      expect(Chunk.toArray(messages)).toEqual([1, 2, 3])
    })
  )

  it.effect("pauses its source when it is full and resumes it when the reader has caught up", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const inbox = yield* Inbox.make<number, string>({
        capacity: 2,
        onFull: () => said.push("pause") > 0,
        onDrained: () => said.push("resume")
      })
      for (const n of [1, 2, 3, 4, 5, 6]) expect(inbox.offer(n)).toBe(true)
      expect(said).toEqual(["pause"])
      for (const n of [1, 2, 3, 4, 5, 6]) expect(yield* inbox.messages.take).toBe(n)
      yield* Effect.yieldNow()
      expect(said).toEqual(["pause", "resume"])
      inbox.offer(7)
      expect(yield* inbox.messages.take).toBe(7)
      expect(said).toEqual(["pause", "resume"])
    })
  )

  it.effect("refuses what a source that can't be paused goes on to deliver", () =>
    Effect.gen(function* () {
      const inbox = yield* Inbox.make<number, string>({
        capacity: 2,
        ...quiet
      })
      expect([1, 2, 3, 4, 5].map((n) => inbox.offer(n))).toEqual([true, true, true, true, false])
    })
  )

  it.effect("ends at once, without what waits in line", () =>
    Effect.gen(function* () {
      const inbox = yield* Inbox.make<number, string>({
        capacity: 2,
        ...quiet
      })
      for (const n of [1, 2, 3]) inbox.offer(n)
      yield* inbox.end
      const { taken, exit } = yield* takeUntilEnd(inbox)
      expect(taken).toEqual([1, 2])
      expect(String(exit)).toContain("NoSuchElementException")
    })
  )

  it("delivers everything in order, then fails, whatever the reader's pace", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        fc.array(fc.constantFrom("offer", "offer", "offer", "take", "take", "yield", "yield"), {
          maxLength: 100,
          size: "max"
        }),
        (capacity, pauses, steps) =>
          Effect.gen(function* () {
            let paused = false
            const inbox = yield* Inbox.make<number, string>({
              capacity,
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
              if (step === "yield") yield* Effect.yieldNow()
              else if (step === "take") {
                if (taken.length < offered.length) taken.push(yield* inbox.messages.take)
              } else if (inbox.offer(offered.length)) offered.push(offered.length)
              else expect([paused, pauses]).toEqual([true, false])
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
