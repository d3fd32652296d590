import * as Duration from "effect/Duration"

/** A value in a message. Never prints what an object holds: it may be large, deep or private. */
export const shown = (value: unknown): string => {
  if (typeof value === "string") return value.length > 60 ? `a text of ${value.length}` : JSON.stringify(value)
  if (typeof value === "function") return "a function"
  if (Duration.isDuration(value)) return Duration.isFinite(value) ? Duration.format(value) : "Infinity"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`
  return typeof value === "object" && value !== null ? "an object" : String(value)
}
