import * as Predicate from "effect/Predicate"

/** The message of a typed failure; if the failure is text, the text itself. */
export const messageOf = (failure: unknown): string | undefined => {
  const text = Predicate.hasProperty(failure, "message") ? failure.message : failure
  // A `Schema.TaggedError` without its own message lists its fields there. The model must not read them, unless the
  // tool's `failure` schema puts them into `details`.
  return typeof text === "string" && text !== "" && !/^\{ .* \}$/s.test(text) ? text : undefined
}
