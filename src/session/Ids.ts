import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"

/** Ids within the protocol's limit of 32 characters. Ten random characters make them unique across sessions. */
export const make: Effect.Effect<(prefix: string) => string> = Effect.gen(function* () {
  let nonce = ""
  for (let index = 0; index < 10; index += 1) nonce += letters[yield* Random.nextIntBetween(0, letters.length)]
  let count = 0
  return (prefix) => {
    count += 1
    return `${prefix}_${nonce}_${count.toString(36)}`
  }
})
