import * as Effect from "effect/Effect"
import type { Moment, Observation, Scene } from "./Observation.js"

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
 * What is wrong: a sentence, or with the place where it was seen.
 *
 * @since 0.1.0
 * @category laws
 */
export type Found = ReadonlyArray<string | Violation>

/**
 * Is called after each step with what has happened since it was last called; `first` is the place of the first moment in
 * the timeline.
 *
 * @since 0.1.0
 * @category laws
 */
export type Watch<in E, out R> = (
  moments: ReadonlyArray<Moment<E>>,
  first: number
) => Effect.Effect<ReadonlyArray<Violation>, never, R>

/**
 * What must hold of each program, whatever happens in it. Some of it is forbidden at any moment, and some must have come
 * at the end: `watch` sees the one, and `check` the other.
 *
 * @since 0.1.0
 * @category laws
 */
export interface Law<in E = unknown, out R = never> {
  readonly name: string
  /** What it says, in a sentence. */
  readonly says: string
  /** Begins with each program. What breaks the law ends the program, and is told with the step. */
  readonly watch?: (scene: Scene) => Watch<E, R>
  /** Judges the whole, once nothing more is to come. */
  readonly check: (observation: Observation<E>) => Effect.Effect<ReadonlyArray<Violation>, never, R>
}

/**
 * A law of one's own about the whole of a program: a function from what was observed to what is wrong with it, or an
 * Effect, to look into the services that the tools use. It is checked at the end, in the same world in which the program
 * ran.
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
 * A law of one's own that holds at any moment. `begin` is called for each program; what it gives is called after each
 * step with what has happened since, and may be an Effect, to look into the services that the tools use. What it has to
 * know of the past, it remembers. The failure names the step after which the law was broken.
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

/** Of the laws of every session: what is forbidden at each moment, and what must have come at the end. */
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

/** What a law says of a program that is over, as if it had been there. */
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
