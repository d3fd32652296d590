import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import { steadyClock } from "../../src/common/steadyClock.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type * as Session from "../../src/Session.js"
import type { SessionClosed } from "../../src/SessionError.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "../session/harness.js"

const { call, mcpApprovalRequest, say, stall } = EmbeddedRealtime
const hour = 3_600_000

/** No connection comes after the first. */
const onceOnly = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((connection) =>
  EmbeddedRealtime.Faults.refuseHandshake(503, "", { connection })
)

/** A clock whose time of day can be set, as on any machine; the timers go on. */
const settable = (clock: Clock.Clock) => {
  let offset = 0
  const timeOfDay = () => clock.unsafeCurrentTimeMillis() + offset
  const set: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: timeOfDay,
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
    currentTimeMillis: Effect.sync(timeOfDay),
    currentTimeNanos: clock.currentTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
  return {
    clock: set,
    setBy: (ms: number) => {
      offset += ms
    }
  }
}

const quick = Tool.make("quick", { description: "", handler: () => Effect.as(Effect.sleep("1 second"), "ok") })
const asks = Tool.make("asks", { description: "", approval: true, handler: () => Effect.succeed("ok") })
const never = Tool.make("never", { description: "", approval: () => Effect.never, handler: () => Effect.succeed("ok") })
const agent = Agent.make("Desk", { instructions: "", tools: [quick, asks, never] })

describe("a time of day that is set", () => {
  for (const [how, byMs] of [
    ["back", -hour],
    ["forward", hour]
  ] as const) {
    const test = (
      name: string,
      turns: ReadonlyArray<EmbeddedRealtime.Turn>,
      run: (h: Harness<never>, set: () => void) => Effect.Effect<void, SessionClosed>,
      options: Session.Options = {}
    ) =>
      it.scoped(`${how} by an hour ${name}`, () =>
        Effect.gen(function* () {
          const { clock, setBy } = settable(yield* Effect.clock)
          // Behind 1970, no hour could be taken.
          yield* TestClock.adjust(2 * hour)
          const h = yield* Effect.withClock(open(agent, turns, options, { faults: onceOnly }), clock)
          yield* run(h, () => setBy(byMs))
        })
      )

    test("leaves the watch over a silent response as it was", [[stall], [say("Here.")]], (h, set) =>
      Effect.gen(function* () {
        yield* h.session.sendText("Hello?")
        yield* h.first("ResponseStarted")
        set()
        yield* TestClock.adjust("29 seconds")
        expect(h.all("ResponseStalled")).toEqual([])
        yield* TestClock.adjust("1 second")
        yield* h.first("ResponseStalled")
        yield* h.first("TextCompleted")
      })
    )

    test("leaves a call that never comes to its handler its time", [[call("never")], [say("Sorry.")]], (h, set) =>
      Effect.gen(function* () {
        yield* h.session.sendText("Go.")
        yield* h.first("ResponseDone")
        set()
        yield* TestClock.adjust("20 seconds")
        expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolTimedOut" }, durationMs: 20_000 })
      })
    )

    test("changes no duration", [[call("quick")], [say("Done.")]], (h, set) =>
      Effect.gen(function* () {
        yield* h.session.sendText("Go.")
        yield* h.first("ToolStarted")
        set()
        yield* TestClock.adjust("1 second")
        expect(yield* h.first("ToolSucceeded")).toMatchObject({ durationMs: 1_000 })
      })
    )

    test(
      "leaves approvals their time, and says of each when that is over",
      [[call("asks"), mcpApprovalRequest("shop", "pay", {}, { output: "paid" })]],
      (h, set) =>
        Effect.gen(function* () {
          set()
          yield* h.session.sendText("Go.")
          yield* h.nth("ToolApprovalRequested", 2)
          const deadline = 2 * hour + byMs + 120_000
          expect(h.all("ToolApprovalRequested")).toMatchObject([{ deadline }, { deadline }])
          set()
          yield* TestClock.adjust("119 seconds")
          expect(h.all("ToolFailed")).toEqual([])
          yield* TestClock.adjust("1 second")
          yield* h.nth("ToolFailed", 2)
        })
    )

    test(
      "lets the search for a connection go on, and end, as its schedule says",
      [],
      (h, set) =>
        Effect.gen(function* () {
          yield* h.model.drop()
          yield* h.first("ConnectionLost")
          set()
          yield* TestClock.adjust("9 seconds")
          expect(h.all("SessionEnded")).toEqual([])
          yield* TestClock.adjust("2 seconds")
          yield* h.first("SessionEnded")
        }),
      { reconnect: Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurUpTo("10 seconds")) }
    )
  }
})

describe("steadyClock", () => {
  it.effect("is in whole milliseconds when a timer fires, however late in the century", () =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const { unsafeCurrentTimeMillis: now } = steadyClock(clock)
      for (const at of [0, 1, 1_700_000_000_123, 4_000_000_000_001]) {
        yield* TestClock.setTime(at)
        expect(now()).toBe(at)
      }
    })
  )

  it.live("agrees with the time of day of a process whose clock was not changed", () =>
    Effect.map(Effect.clock, (clock) => {
      expect(Math.abs(steadyClock(clock).unsafeCurrentTimeMillis() - clock.unsafeCurrentTimeMillis())).toBeLessThan(
        60_000
      )
    })
  )
})
