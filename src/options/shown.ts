import * as Duration from "effect/Duration"

/** A value for a message. Never prints the contents of an object: it may be large, deep or private. */
export const shown = (value: unknown): string => {
  if (typeof value === "string") return value.length > 60 ? `text of ${value.length} characters` : JSON.stringify(value)
  if (typeof value === "function") return "a function"
  if (Duration.isDuration(value)) return Duration.isFinite(value) ? Duration.format(value) : "Infinity"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`
  return typeof value === "object" && value !== null ? "an object" : String(value)
}
