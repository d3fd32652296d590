import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Subscribers from "../../../src/session/publishing/Subscribers.js"
import { numRuns } from "../../runs.js"

type Event = number | { readonly missed: number; readonly next: number | undefined }

/** Reads the published events, when the test says so. */
const reader = <Err>(
  subscribers: Subscribers.Subscribers<Event>,
  capacity: number,
  onLag: Subscribers.OnLag<Event, Err>
) =>
  Effect.map(Stream.toPull(subscribers.subscribe(capacity, onLag)), (pull) => Effect.map(pull, (chunk) => [...chunk]))

const tell: Subscribers.OnLag<Event, never> = { _tag: "Tell", missed: (missed) => [{ missed, next: undefined }] }
const fail: Subscribers.OnLag<Event, string> = { _tag: "Fail", error: (missed) => `${missed} missed` }

describe("law 6, Boundedness: subscribers", () => {
  it.scoped("buffer what is published before anyone listens, for the first subscriber", () =>
    Effect.gen(function* () {
      const subscribers = new Subscribers.Subscribers<Event>(2)
      for (const event of [1, 2, 3]) subscribers.publish(event)
      const first = yield* reader(subscribers, 10, tell)
      expect(yield* first).toEqual([1, 2, { missed: 1, next: undefined }])
      const second = yield* reader(subscribers, 10, tell)
      const pulling = yield* Effect.fork(second)
      yield* Effect.yieldNow()
      subscribers.publish(4)
      expect(yield* pulling).toEqual([4])
      expect(yield* first).toEqual([4])
    })
  )

  it.scoped("buffer less than their capacity before the first read: most sessions have streams without a reader", () =>
    Effect.gen(function* () {
      const subscribers = new Subscribers.Subscribers<Event>(10_000)
      for (let event = 0; event < 1_000; event += 1) subscribers.publish(event)
      const first = yield* reader(subscribers, 10_000, tell)
      const held = yield* first
      expect(held.slice(-2)).toEqual([Subscribers.maxUnclaimed - 1, { missed: 744, next: undefined }])
      for (let event = 0; event < 1_000; event += 1) subscribers.publish(event)
      expect(yield* first).toHaveLength(1_000)
    })
  )

  it.scoped("have room again once they have read their buffer", () =>
    Effect.gen(function* () {
      const subscribers = new Subscribers.Subscribers<Event>(2)
      const pull = yield* reader(subscribers, 2, tell)
      for (const event of [1, 2, 3, 4]) subscribers.publish(event)
      expect(yield* pull).toEqual([1, 2, { missed: 2, next: undefined }])
      for (const event of [5, 6]) subscribers.publish(event)
      expect(yield* pull).toEqual([5, 6])
    })
  )

  it.scoped("end with an error behind what they hold, where nothing may be missed", () =>
    Effect.gen(function* () {
      const subscribers = new Subscribers.Subscribers<Event>(2)
      const pull = yield* reader(subscribers, 2, fail)
      for (const event of [1, 2, 3]) subscribers.publish(event)
      expect(yield* pull).toEqual([1, 2])
      // Events after the gap are not delivered as if it did not exist.
      subscribers.publish(4)
      expect(yield* Effect.flip(pull)).toEqual(Option.some("2 missed"))
    })
  )

  it.scoped("end when they have delivered what they hold, also how much was missed", () =>
    Effect.gen(function* () {
      const subscribers = new Subscribers.Subscribers<Event>(2)
      const pull = yield* reader(subscribers, 2, tell)
      for (const event of [1, 2, 3]) subscribers.publish(event)
      subscribers.end()
      expect(yield* pull).toEqual([1, 2, { missed: 1, next: undefined }])
      expect(yield* Effect.flip(pull)).toEqual(Option.none())
    })
  )

  it("lose and double nothing between where they catch up and what follows, whatever the order", () => {
    const action = FastCheck.constantFrom("publish", "publish", "publish", "pull", "catchUp")
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(action, { maxLength: 80 }),
        FastCheck.integer({ min: 1, max: 5 }),
        (actions, capacity) => {
          const read: Array<Event> = []
          let published = 0
          let longest = 0
          /** The loop has its own time to answer in. */
          let answer: (() => void) | undefined
          const subscribers = new Subscribers.Subscribers<Event>(capacity)
          const scope = Effect.runSync(Scope.make())
          const pull = Effect.runSync(
            reader<never>(subscribers, capacity, {
              _tag: "CatchUp",
              missed: (take) =>
                Effect.async((resume) => {
                  answer = () => {
                    answer = undefined
                    resume(Effect.sync(() => ({ missed: take(), next: published + 1 })))
                  }
                })
            }).pipe(Scope.extend(scope))
          )
          let pulling = false
          for (const one of actions) {
            if (one === "publish") {
              published += 1
              subscribers.publish(published)
            } else if (one === "catchUp") answer?.()
            else if (!pulling) {
              pulling = true
              Effect.runCallback(pull, {
                onExit: (exit) => {
                  pulling = false
                  if (!Exit.isSuccess(exit)) return
                  read.push(...exit.value)
                  longest = Math.max(longest, exit.value.length)
                }
              })
            }
          }
          expect(longest).toBeLessThanOrEqual(capacity + 1)
          let next = 1
          for (const event of read) {
            if (typeof event === "number") expect(event).toBe(next)
            else expect(event.next).toBe(next + event.missed)
            next = typeof event === "number" ? event + 1 : (event.next ?? 0)
          }
          Effect.runSync(Scope.close(scope, Exit.void))
        }
      ),
      { numRuns: numRuns(1000) }
    )
  })
})
