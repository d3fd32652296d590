import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

/** The tag of a failure, without its message. `Defect` or `Interrupted` if it has none. */
export const tagOf = (cause: Cause.Cause<unknown>): string => {
  if (Cause.isDie(cause)) return "Defect"
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure === undefined) return "Interrupted"
  return Predicate.hasProperty(failure, "_tag") && typeof failure._tag === "string" ? failure._tag : "Failure"
}
