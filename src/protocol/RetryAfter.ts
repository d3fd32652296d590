/**
 * When to ask again after a temporary refusal by the server.
 *
 * @since 0.1.0
 */

const amount = String.raw`(\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)(?![a-z])\s*`
const named = new RegExp(String.raw`\b(?:again|retry)\s+(?:in|after)\s+((?:${amount})+)`, "i")
const amounts = new RegExp(amount, "gi")

const millisecondsOf = (unit: string): number => {
  const name = unit.toLowerCase()
  if (name === "ms" || name.startsWith("milli")) return 1
  return name.startsWith("s") ? 1_000 : name.startsWith("m") ? 60_000 : 3_600_000
}

/**
 * The milliseconds that a message names, as OpenAI's messages do: "Please try again in 6.2s", "in 250ms", "in 1m12.5s".
 * Absent if it names none.
 *
 * @since 0.1.0
 * @category reading
 */
export const namedIn = (message: string): number | undefined => {
  const span = named.exec(message)?.[1]
  if (span === undefined) return undefined
  let ms = 0
  for (const [, count, unit] of span.matchAll(amounts)) ms += Number(count) * millisecondsOf(unit ?? "")
  return Math.ceil(ms)
}
