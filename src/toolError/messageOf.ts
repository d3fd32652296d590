import * as Predicate from "effect/Predicate"

/** What a typed failure says of itself: its message, or itself where it is text. */
export const messageOf = (failure: unknown): string | undefined => {
  const text = Predicate.hasProperty(failure, "message") ? failure.message : failure
  // A `Schema.TaggedError` without a message of its own lists its fields there: they are not for the model, unless the
  // tool's `failure` schema puts them into `details`.
  return typeof text === "string" && text !== "" && !/^\{ .* \}$/s.test(text) ? text : undefined
}
