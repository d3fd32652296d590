/** What a reply may do, by how far the turn of the user is. */
export type Turn =
  /** The model has called nothing since the user last said something. */
  | "Fresh"
  | "Called"
  /** It has called too much: it is to say something, and nothing more. */
  | "Spent"

/** Stops a model that calls and calls, or begins the same call again and again. */
export interface RunawayBreaker {
  /** Counts one more call: the first that is too many is answered with the last word of the turn, the others are not. */
  readonly count: () => "Within" | "First" | "Further"
  /** Whether the model is asked to go on after a call that was cut off: what was too long once will be so again. */
  readonly mayGoOn: () => boolean
  /** The user said something. `calls`: that the turn has made already. */
  readonly turnBegan: (calls: number) => void
  readonly turn: () => Turn
}

/** @param limit calls since the user last said something, after which it trips */
export const make = (limit: number): RunawayBreaker => {
  let calls = 0
  let isSpent = false
  /** It was asked to go on after a call that was cut off, and has completed none since. */
  let hasGoneOn = false
  return {
    count: () => {
      calls += 1
      hasGoneOn = false
      if (calls <= limit) return "Within"
      const counted = isSpent ? "Further" : "First"
      isSpent = true
      return counted
    },
    mayGoOn: () => {
      if (hasGoneOn) return false
      hasGoneOn = true
      return true
    },
    turnBegan: (already) => {
      calls = already
      isSpent = false
      hasGoneOn = false
    },
    turn: () => (isSpent ? "Spent" : calls > 0 ? "Called" : "Fresh")
  }
}
