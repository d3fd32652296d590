import * as Effect from "effect/Effect"
import type { Moment, Observation, Scene } from "./Observation.js"

/**
 * An event that a law forbids.
 *
 * @since 0.1.0
 * @category laws
 */
export interface Violation {
  /** What happened, in a sentence. */
  readonly message: string
  /** The position in the timeline where it was seen; absent if something is missing. */
  readonly moment?: number | undefined
}

/**
 * What is wrong: sentences, or sentences with a position in the timeline.
 *
 * @since 0.1.0
 * @category laws
 */
export type Found = ReadonlyArray<string | Violation>

/**
 * Called after each step with what has happened since the last call. `first` is the position of the first of these
 * moments in the timeline.
 *
 * @since 0.1.0
 * @category laws
 */
export type Watch<in E, out R> = (
  moments: ReadonlyArray<Moment<E>>,
  first: number
) => Effect.Effect<ReadonlyArray<Violation>, never, R>

/**
 * Something that must hold in every program, whatever happens in it. `watch` finds what is forbidden at any moment;
 * `check` finds what is missing at the end.
 *
 * @since 0.1.0
 * @category laws
 */
export interface Law<in E = unknown, out R = never> {
  readonly name: string
  /** The law, in a sentence. */
  readonly says: string
  /** Starts with each program. A violation ends the program, and is reported with its step. */
  readonly watch?: (scene: Scene) => Watch<E, R>
  /** Checks the whole program when nothing more will happen. */
  readonly check: (observation: Observation<E>) => Effect.Effect<ReadonlyArray<Violation>, never, R>
}

/**
 * Your own law about a whole program: a function from an observation to what is wrong, or an Effect if it must inspect
 * the services that the tools use. It is checked at the end, with the same services that the program used.
 *
 * @example
 * ```ts
 * import { Testing } from "effect-realtime/testing"
 *
 * export const oneTaxi = Testing.law("OneTaxi", "Somebody who got a taxi is told so.", (observation) => {
 *   const events = Testing.events(observation)
 *   const taxis = events.filter((event) => event._tag === "ToolSucceeded" && event.call.tool === "call_taxi")
 *   return taxis.length > 0 && !events.some((event) => event._tag === "TextCompleted") ? ["Nobody said so."] : []
 * })
 * ```
 *
 * @since 0.1.0
 * @category laws
 */
export const law = <E = unknown, R = never>(
  name: string,
  says: string,
  check: (observation: Observation<E>) => Found | Effect.Effect<Found, never, R>
): Law<E, R> => ({ name, says, check: (observation) => found(() => check(observation)) })

/**
 * Your own law that must hold at any moment. `begin` is called for each program. The function that it returns is called
 * after each step with what has happened since, and may return an Effect to inspect the services that the tools use. It
 * must remember what it needs from earlier steps. A failure names the step after which the law was broken.
 *
 * @example
 * ```ts
 * import { Testing } from "effect-realtime/testing"
 *
 * export const oneTaxi = Testing.always("OneTaxi", "Nobody gets two taxis.", () => {
 *   let taxis = 0
 *   return (moments) => {
 *     for (const moment of moments) {
 *       if (moment._tag !== "Published" || moment.event._tag !== "ToolSucceeded") continue
 *       if (moment.event.call.tool === "call_taxi") taxis += 1
 *     }
 *     return taxis > 1 ? [`${taxis} taxis were called.`] : []
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 * @category laws
 */
export const always = <E = unknown, R = never>(
  name: string,
  says: string,
  begin: (scene: Scene) => (moments: ReadonlyArray<Moment<E>>, first: number) => Found | Effect.Effect<Found, never, R>
): Law<E, R> => ({
  name,
  says,
  watch: (scene) => {
    const look = begin(scene)
    return (moments, first) => found(() => look(moments, first))
  },
  check: () => Effect.succeed([])
})

/** For the laws of every session: what is forbidden at each moment, and what must have happened at the end. */
export const both = (
  name: string,
  says: string,
  begin: (scene: Scene) => (moment: Moment, index: number) => Found,
  check: (observation: Observation) => Found = () => []
): Law => ({
  ...always(name, says, (scene) => {
    const look = begin(scene)
    return (moments, first) => {
      const violations: Array<Violation> = []
      for (const [offset, moment] of moments.entries()) {
        const index = first + offset
        for (const one of look(moment, index)) {
          violations.push(typeof one === "string" ? { message: one, moment: index } : one)
        }
      }
      return violations
    }
  }),
  check: law(name, says, check).check
})

/** Applies a law to a program that is over, as if it had watched it. */
export const judge = <E, R>(
  { check, watch }: Law<E, R>,
  observation: Observation<E>
): Effect.Effect<ReadonlyArray<Violation>, never, R> =>
  Effect.zipWith(
    watch === undefined ? Effect.succeed([]) : watch(observation)(observation.timeline, 0),
    check(observation),
    (seen, missed) => [...seen, ...missed]
  )

const found = <R>(
  look: () => Found | Effect.Effect<Found, never, R>
): Effect.Effect<ReadonlyArray<Violation>, never, R> =>
  Effect.suspend(() => {
    const all = look()
    return Effect.isEffect(all) ? all : Effect.succeed(all)
  }).pipe(Effect.map((all) => all.map((one) => (typeof one === "string" ? { message: one } : one))))
