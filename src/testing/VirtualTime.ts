import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RuntimeFiber } from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Scheduler from "effect/Scheduler"

/**
 * A clock and a scheduler in one, for programs that run many times. Time passes at once when nothing is left to do, and
 * the same program takes the same steps in the same order each time.
 *
 * Promises that settle without the outside world are waited for, for ten turns. A handler that waits for a socket or a
 * real timer looks like one that does nothing.
 */
export interface VirtualTime {
  readonly clock: Clock.Clock
  readonly scheduler: Scheduler.Scheduler
  readonly now: () => number
  /** Waits until nothing is left to do. */
  readonly settle: Effect.Effect<void>
  /** Runs at most this many tasks: the next step can then happen in the middle of the consequences of the last. */
  readonly run: (tasks: number) => Effect.Effect<void>
  /** Sets the time of day, forward or back. No time passes. */
  readonly setTimeOfDay: (byMs: number) => void
  /** Lets time pass, and at each moment when something is scheduled, waits until nothing is left to do. */
  readonly pass: (ms: number) => Effect.Effect<void>
}

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** The start time of a program: neither 0 nor today. Milliseconds since 1970. */
export const beginning = 1_700_000_000_000

const turnsOfPromises = 10

/** A program that runs this many tasks at one moment never stops. */
const maxTasks = 500_000

/** Too many tasks ran at one moment. */
export const spinning = "It does something endlessly, and never waits for time to pass."

export const make = (): VirtualTime => {
  let now = beginning
  /** The offset of the time of day. */
  let offset = 0
  const timeOfDay = () => now + offset
  /** As numbers, nanoseconds since 1970 have steps of 256. */
  const nanos = () => BigInt(Math.round(now * 1_000)) * 1_000n
  let isRunning = false
  let sleepers: Array<Sleeper> = []
  const buckets = new Scheduler.PriorityBuckets()
  /** The code that waits for its turn between tasks, and how many tasks may still run before it. */
  let waiting: { readonly resume: (isSpinning: boolean) => void; left: number } | undefined
  let tasksOfMoment = 0

  const takeTask = (): Scheduler.Task | undefined => {
    for (const [, tasks] of buckets.buckets) {
      const task = tasks.shift()
      if (task !== undefined) return task
    }
    buckets.buckets = []
    return undefined
  }

  const loop = async (): Promise<void> => {
    for (;;) {
      let task = takeTask()
      for (let turn = 0; task === undefined && turn < turnsOfPromises; turn += 1) {
        await Promise.resolve()
        task = takeTask()
      }
      tasksOfMoment += 1
      const isSpinning = tasksOfMoment > maxTasks
      if (waiting !== undefined && (task === undefined || waiting.left <= 0 || isSpinning)) {
        const { resume } = waiting
        waiting = undefined
        resume(isSpinning)
      } else if (task === undefined) break
      else if (waiting !== undefined) waiting.left -= 1
      task?.()
    }
    isRunning = false
  }

  const start = (): void => {
    if (isRunning) return
    isRunning = true
    queueMicrotask(loop)
  }

  const scheduler: Scheduler.Scheduler = {
    shouldYield: (fiber: RuntimeFiber<unknown, unknown>) =>
      fiber.currentOpCount > fiber.getFiberRef(FiberRef.currentMaxOpsBeforeYield)
        ? fiber.getFiberRef(FiberRef.currentSchedulingPriority)
        : false,
    scheduleTask: (task, priority) => {
      buckets.scheduleTask(task, priority)
      start()
    }
  }

  const run = (tasks: number): Effect.Effect<void> =>
    Effect.async<void>((resume) => {
      const go = (isSpinning: boolean) => resume(isSpinning ? Effect.dieMessage(spinning) : Effect.void)
      waiting = { resume: go, left: tasks }
      start()
    })
  const settle = run(Number.POSITIVE_INFINITY)

  /** Sleepers of the same moment wake in the order in which they began to sleep. */
  const nextSleeper = (until: number): Sleeper | undefined => {
    let next: Sleeper | undefined
    for (const sleeper of sleepers)
      if (sleeper.at <= until && (next === undefined || sleeper.at < next.at)) next = sleeper
    return next
  }

  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: timeOfDay,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(timeOfDay),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper: Sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.push(sleeper)
        return Effect.sync(() => {
          sleepers = sleepers.filter((other) => other !== sleeper)
        })
      })
  }

  return {
    clock,
    scheduler,
    now: () => now,
    settle,
    run,
    setTimeOfDay: (byMs) => {
      offset += byMs
    },
    pass: (ms) =>
      Effect.gen(function* () {
        yield* settle
        const until = now + ms
        for (let next = nextSleeper(until); next !== undefined; next = nextSleeper(until)) {
          const sleeper = next
          sleepers = sleepers.filter((other) => other !== sleeper)
          if (sleeper.at > now) tasksOfMoment = 0
          now = Math.max(now, sleeper.at)
          sleeper.wake()
          yield* settle
        }
        now = until
        tasksOfMoment = 0
      })
  }
}
