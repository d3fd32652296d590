import type { Refusal } from "./WebSocket.js"

/**
 * How long a refusing server wants the client to wait, in milliseconds. `Retry-After` is in whole seconds or a date
 * (RFC 9110, section 10.2.3); `retry-after-ms` is OpenAI's own header, and more exact.
 */
export const retryAfter = (refusal: Pick<Refusal, "retryAfter" | "retryAfterMs">, now: number): number | undefined => {
  const ms = number(refusal.retryAfterMs)
  if (ms !== undefined) return Math.ceil(ms)
  const seconds = number(refusal.retryAfter)
  if (seconds !== undefined) return Math.ceil(seconds * 1_000)
  const date = Date.parse(refusal.retryAfter ?? "")
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const number = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*\d{1,9}(\.\d+)?\s*$/.test(text) ? Number(text) : undefined
