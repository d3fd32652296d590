import * as Predicate from "effect/Predicate"

/** Objects that differ in one of these are of two kinds, or two things: fields of the one mean nothing in the other. */
const identity = ["type", "id", "server_label"]

/**
 * Settings over settings, field by field, to any depth: what the upper ones do not name stays as the lower ones have it.
 * Lists, and objects of another kind (another sort of turn detection, another stored prompt), are taken whole.
 */
export const merge = <A>(lower: A, upper: A): A => {
  if (upper === undefined) return lower
  if (!Predicate.isRecord(lower) || !Predicate.isRecord(upper)) return upper
  if (identity.some((key) => lower[key] !== upper[key] && key in lower && key in upper)) return upper
  const both = Object.keys(upper).filter((key) => key in lower)
  return { ...lower, ...upper, ...Object.fromEntries(both.map((key) => [key, merge(lower[key], upper[key])])) }
}
