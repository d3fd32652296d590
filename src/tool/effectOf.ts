import * as Effect from "effect/Effect"
import type { Hint } from "../options/Hint.js"

/** What a handler returned: JavaScript may return something else than an Effect. */
export const effectOf = <A, E, R>(
  name: string,
  result: Effect.Effect<A, E, R> | Hint<string>
): Effect.Effect<A, E, R> | Effect.Effect<never> => (Effect.isEffect(result) ? result : Effect.die(noEffect(name)))

const noEffect = (name: string) =>
  new TypeError(`The handler of ${name} did not return an Effect. Effect.tryPromise makes one of a Promise.`)
