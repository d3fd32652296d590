import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { CallTokens } from "../../src/Telephony.js"
import { maxTokens } from "../../src/telephony/limits.js"

const reason = <A, R>(effect: Effect.Effect<A, { readonly reason: string }, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)

describe("A token of a call", () => {
  it.scoped("opens its stream once, and carries a value to it", () =>
    Effect.gen(function* () {
      const tokens = yield* CallTokens.make<string>()
      const token = yield* tokens.issue("CA1", "Hello")
      expect(yield* tokens.redeem("CA1", token)).toBe("Hello")
      expect(yield* reason(tokens.redeem("CA1", token))).toBe("UnknownToken")
    })
  )

  it.scoped("of another call does not open this one, and stays valid there", () =>
    Effect.gen(function* () {
      const tokens = yield* CallTokens.make<string>()
      const [mine, theirs] = [yield* tokens.issue("CA1", "mine"), yield* tokens.issue("CA2", "theirs")]
      expect(yield* reason(tokens.redeem("CA1", theirs))).toBe("OtherCall")
      expect(yield* reason(tokens.redeem("CA3", mine))).toBe("OtherCall")
      expect(yield* tokens.redeem("CA2", theirs)).toBe("theirs")
      expect(yield* tokens.redeem("CA1", mine)).toBe("mine")
    })
  )

  it.scoped("is not guessed, and not left out", () =>
    Effect.gen(function* () {
      const tokens = yield* CallTokens.make<void>()
      yield* tokens.issue("CA1", undefined)
      expect(yield* reason(tokens.redeem("CA1", undefined))).toBe("NoToken")
      // It says what to do at any vendor, not only at Twilio.
      const { message } = yield* Effect.flip(tokens.redeem("CA1", undefined))
      expect(message).toContain("`issue`")
      expect(message).not.toContain("TwiML")
      expect(yield* reason(tokens.redeem("CA1", "guess"))).toBe("UnknownToken")
    })
  )

  it.scoped("does not open a second stream of a call, but does after the first is over", () =>
    Effect.gen(function* () {
      const tokens = yield* CallTokens.make<void>()
      const first = yield* tokens.issue("CA1", undefined)
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* tokens.redeem("CA1", first)
          const second = yield* tokens.issue("CA1", undefined)
          expect(yield* reason(tokens.redeem("CA1", second))).toBe("SecondStream")
        })
      )
      yield* tokens.redeem("CA1", yield* tokens.issue("CA1", undefined))
    })
  )

  it.scoped("expires, and is replaced by a later one of its call", () =>
    Effect.gen(function* () {
      const tokens = yield* CallTokens.make<void>()
      const [early, late] = [yield* tokens.issue("CA1", undefined), yield* tokens.issue("CA1", undefined)]
      expect(yield* reason(tokens.redeem("CA1", early))).toBe("UnknownToken")
      yield* TestClock.adjust("1 minute")
      expect(yield* reason(tokens.redeem("CA1", late))).toBe("UnknownToken")
    })
  )

  it.scoped("is the oldest to go when too many wait", () =>
    Effect.gen(function* () {
      const tokens = yield* CallTokens.make<number>()
      const first = yield* tokens.issue("CA0", 0)
      for (let call = 1; call < maxTokens; call++) yield* tokens.issue(`CA${call}`, call)
      const last = yield* tokens.issue("CA-last", 1)
      expect(yield* reason(tokens.redeem("CA0", first))).toBe("UnknownToken")
      expect(yield* tokens.redeem("CA-last", last)).toBe(1)
    })
  )
})
