/** Long work in steps, so that a process with other sessions in it goes on meanwhile. */
import * as Effect from "effect/Effect"

/** Of one step, in characters: some milliseconds of work. Timers ring a millisecond apart, so more steps take longer. */
export const STEP_WEIGHT = 524_288

/** Of one step that only looks whether bytes are what was written. */
export const STEP_BYTES = 2_097_152

/** What each thing counts besides its length: many short ones take their time too. */
export const PER_THING = 256

/** Timers and the network have their turn: a yield of Effect's scheduler alone leaves them waiting. */
export const breathe: Effect.Effect<void> = Effect.async<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 0)
  return Effect.sync(() => clearTimeout(timer))
})

/** Calls `step` until it says that it is done, and breathes in between. */
export const untilDone = <E>(step: () => Effect.Effect<"More" | "Done", E>): Effect.Effect<void, E> =>
  Effect.suspend(step).pipe(
    Effect.flatMap((outcome) => (outcome === "Done" ? Effect.void : Effect.zipRight(breathe, untilDone(step))))
  )

/** What a generator comes to, which stops wherever it may be paused: with a breath at each stop. */
export const inSteps = <A>(steps: Generator<undefined, A>): Effect.Effect<A> =>
  Effect.suspend(() => {
    const { done, value } = steps.next()
    return done === true ? Effect.succeed(value) : Effect.zipRight(breathe, inSteps(steps))
  })

/** The same at once. */
export const lastOf = <A>(steps: Generator<undefined, A>): A => {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}
