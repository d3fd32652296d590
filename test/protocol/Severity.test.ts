import { describe, expect, it } from "@effect/vitest"
import { classifyClose, classifyHandshake, classifyServerError } from "../../src/Protocol.js"

describe("classifyServerError", () => {
  it.each([
    [{ code: "response_cancel_not_active", message: "Cancellation failed: no active response found" }, "benign"],
    [{ code: "invalid_value", message: "Audio content of 800ms is already shorter than 900ms" }, "benign"],
    [{ code: "invalid_value", message: "Invalid value: 'loud'." }, "recoverable"],
    [{ code: "unknown_parameter", message: "already shorter than" }, "recoverable"],
    [{ code: "conversation_already_has_active_response" }, "recoverable"],
    [{ code: "rate_limit_exceeded" }, "recoverable"],
    [{ type: "server_error", message: "The server had an error." }, "recoverable"],
    [{ code: "session_expired" }, "transient"],
    [{ code: "invalid_api_key" }, "fatal"],
    [{ code: "insufficient_quota" }, "fatal"],
    [{ code: null, type: "insufficient_quota" }, "fatal"],
    [{ code: "account_deactivated" }, "fatal"],
    [{ code: "billing_hard_limit_reached" }, "fatal"],
    [{ code: "credit_balance_exhausted" }, "fatal"],
    [{ code: "model_not_found" }, "fatal"],
    [{ code: "billing_not_active" }, "fatal"],
    [{ code: "unsupported_country_region_territory" }, "fatal"],
    [{}, "recoverable"]
  ])("%j is %s", (error, severity) => {
    expect(classifyServerError(error)).toBe(severity)
  })
})

describe("classifyClose", () => {
  it.each([1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408, 4429, 4500, 4503])("%d is transient", (code) => {
    expect(classifyClose(code)).toBe("transient")
  })

  it.each([1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000, 4000, 4001, 4401])("%d is fatal", (code) => {
    expect(classifyClose(code)).toBe("fatal")
  })

  it.each(["insufficient_quota", "invalid_request_error.invalid_api_key", "Closed: model_not_found."])(
    "1013 is fatal because of %j",
    (reason) => {
      expect(classifyClose(1013, "Try again later.")).toBe("transient")
      expect(classifyClose(1013, reason)).toBe("fatal")
    }
  )
})

describe("classifyHandshake", () => {
  it.each([408, 425, 429, 500, 502, 503, 504])("%d is transient", (status) => {
    expect(classifyHandshake(status)).toBe("transient")
  })

  it.each([200, 301, 400, 401, 403, 404, 426])("%d is fatal", (status) => {
    expect(classifyHandshake(status)).toBe("fatal")
  })

  it("tells a quota that is used up from a limit of the moment, both 429, also where the body was cut off", () => {
    const quota = JSON.stringify({ error: { message: "You exceeded your quota.", code: "insufficient_quota" } })
    const limit = JSON.stringify({ error: { message: "Slow down.", code: "rate_limit_exceeded" } })
    expect(classifyHandshake(429, limit)).toBe("transient")
    expect(classifyHandshake(429, quota)).toBe("fatal")
    expect(classifyHandshake(429, quota.slice(0, -1))).toBe("fatal")
    expect(classifyHandshake(503, quota)).toBe("fatal")
  })
})
