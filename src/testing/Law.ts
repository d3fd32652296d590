import * as Effect from "effect/Effect"
import type { Observation } from "./Observation.js"

/**
 * Something that a law forbids, and that happened.
 *
 * @since 0.1.0
 * @category laws
 */
export interface Violation {
  /** What happened, in a sentence. */
  readonly message: string
  /** Where in the timeline it was seen; absent where it is about something that never came. */
  readonly moment?: number | undefined
}

/**
 * What must hold of each program, whatever happens in it.
 *
 * @since 0.1.0
 * @category laws
 */
export interface Law<in E = unknown, out R = never> {
  readonly name: string
  /** What it says, in a sentence. */
  readonly says: string
  readonly check: (observation: Observation<E>) => Effect.Effect<ReadonlyArray<Violation>, never, R>
}

/**
 * A law of one's own: a function from what was observed to what is wrong with it, or an Effect, to look into the services
 * that the tools use. It is checked in the same world in which the program ran.
 *
 * @example
 * ```ts
 * import { Testing } from "effect-realtime/testing"
 *
 * export const oneTaxi = Testing.law("OneTaxi", "Nobody gets two taxis.", (observation) => {
 *   const taxis = Testing.events(observation).filter(
 *     (event) => event._tag === "ToolSucceeded" && event.call.tool === "call_taxi"
 *   )
 *   return taxis.length > 1 ? [`${taxis.length} taxis were called.`] : []
 * })
 * ```
 *
 * @since 0.1.0
 * @category laws
 */
export const law = <E = unknown, R = never>(
  name: string,
  says: string,
  check: (
    observation: Observation<E>
  ) => ReadonlyArray<string | Violation> | Effect.Effect<ReadonlyArray<string | Violation>, never, R>
): Law<E, R> => ({
  name,
  says,
  check: (observation) =>
    Effect.suspend(() => {
      const found = check(observation)
      return Effect.isEffect(found) ? found : Effect.succeed(found)
    }).pipe(Effect.map((found) => found.map((one) => (typeof one === "string" ? { message: one } : one))))
})
