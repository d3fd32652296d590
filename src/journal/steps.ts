/** Runs long work in steps, so that other sessions in the process can go on. */
import * as Effect from "effect/Effect"

/**
 * The size of a step, in characters: a few milliseconds of work. Timers have a resolution of one millisecond, so more
 * steps would take longer.
 */
export const STEP_WEIGHT = 524_288

/** The size of a step that only verifies bytes. */
export const STEP_BYTES = 2_097_152

/** What each element counts in addition to its length: many short ones also take time. */
export const PER_THING = 256

/** Lets timers and the network run: a yield of Effect's scheduler alone does not. */
export const breathe: Effect.Effect<void> = Effect.async<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 0)
  return Effect.sync(() => clearTimeout(timer))
})

/** Calls `step` until it is done, with pauses in between. */
export const untilDone = <E>(step: () => Effect.Effect<"More" | "Done", E>): Effect.Effect<void, E> =>
  Effect.suspend(step).pipe(
    Effect.flatMap((outcome) => (outcome === "Done" ? Effect.void : Effect.zipRight(breathe, untilDone(step))))
  )

/** Runs a generator that yields where it may be paused, with a pause at each yield. */
export const inSteps = <A>(steps: Generator<undefined, A>): Effect.Effect<A> =>
  Effect.suspend(() => {
    const { done, value } = steps.next()
    return done === true ? Effect.succeed(value) : Effect.zipRight(breathe, inSteps(steps))
  })

/** Runs the generator without pauses. */
export const lastOf = <A>(steps: Generator<undefined, A>): A => {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
