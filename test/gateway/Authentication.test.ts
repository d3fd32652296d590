import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { token } from "../../src/gateway/Authentication.js"
import { OptionsInvalid } from "../../src/SessionError.js"
import { equal } from "../../src/serving/secrets.js"

const secret = "0123456789abcdef"
const shown = (text: string | undefined) => ({
  token: text === undefined ? undefined : Redacted.make(text),
  headers: {},
  url: "/",
  remoteAddress: "127.0.0.1"
})

describe("A token", () => {
  it.effect("admits only clients that send it", () =>
    Effect.gen(function* () {
      const authenticate = token(Redacted.make(secret))
      expect(yield* authenticate(shown(secret))).toEqual({ id: "token" })
      for (const other of [undefined, "", secret.slice(1), `${secret}0`, secret.toUpperCase(), "ä".repeat(16)]) {
        const error = yield* Effect.flip(authenticate(shown(other)))
        expect(error._tag).toBe("Unauthorized")
        expect(error.message).not.toContain(secret)
      }
    })
  )

  it("is refused if it can be guessed, and is not shown", () => {
    const refused = (): unknown => {
      try {
        return token(Redacted.make("0123456789abcde"))
      } catch (error) {
        return error
      }
    }
    const error = refused()
    expect(error).toBeInstanceOf(OptionsInvalid)
    expect(String(error)).toContain("16 characters")
    expect(String(error)).not.toContain("0123456789abcde")
  })
})

describe("Two secrets", () => {
  it.effect("are the same only if every character is, whatever their lengths", () =>
    Effect.gen(function* () {
      expect(yield* equal("", "")).toBe(true)
      expect(yield* equal(secret, secret)).toBe(true)
      expect(yield* equal(secret, `${secret}\0`)).toBe(false)
      expect(yield* equal("a", "b")).toBe(false)
    })
  )
})
