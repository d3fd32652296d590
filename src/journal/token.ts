import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** A unique name for a writer: 100 bits, as 20 letters and digits. */
export const makeToken: Effect.Effect<string> = Effect.map(
  Effect.all(Array.from({ length: 4 }, () => Random.nextIntBetween(0, 36 ** 5))),
  (numbers) => numbers.map((number) => number.toString(36).padStart(5, "0")).join("")
)
