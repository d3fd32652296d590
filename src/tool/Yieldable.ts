import type * as Effect from "effect/Effect"

/**
 * The same as an Effect. It stands beside `Effect.Effect` and a hint, for errors that a handler returns: of several
 * values that may be returned, TypeScript pairs those of the type `Effect.Effect` with that, and would leave an error
 * to the hint, from which it infers nothing.
 */
export interface Yieldable<out A, out E, out R> extends Effect.Effect<A, E, R> {}
