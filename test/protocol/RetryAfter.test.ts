import { describe, expect, it } from "@effect/vitest"
import { namedIn } from "../../src/protocol/RetryAfter.js"

describe("RetryAfter", () => {
  it.each([
    ["Rate limit reached for gpt-realtime in organization org_1 on tokens per min. Please try again in 6.2s.", 6_200],
    ["Please try again in 250ms. Visit https://platform.openai.com/account/rate-limits", 250],
    ["Please try again in 1m12.5s.", 72_500],
    ["Please try again in 6m0s.", 360_000],
    ["Requests are throttled. Please retry after 20 seconds.", 20_000],
    ["Retry in 1.5 minutes", 90_000],
    ["Try again in 2 h", 7_200_000]
  ])("reads the time that a server names: %s", (message, ms) => {
    expect(namedIn(message)).toBe(ms)
  })

  it.each(["Please try again later.", "Try again in 3 bananas.", "The server had an error 500 s ago.", ""])(
    "finds none where there is none: %s",
    (message) => {
      expect(namedIn(message)).toBeUndefined()
    }
  )
})
