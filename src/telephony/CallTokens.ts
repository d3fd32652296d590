/**
 * One-time tokens that bind a media stream to its call: the webhook, which is signed, issues one, and the stream, which
 * anybody may open, must show it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { steadyClock } from "../common/steadyClock.js"
import { fingerprint, secret } from "../serving/secrets.js"
import * as limits from "./limits.js"
import { StreamNotTrusted } from "./StreamError.js"

/**
 * The tokens of one server. Each carries a value of the application's to the stream.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallTokens<A> {
  /** A token for a call. A call has one: an earlier one is no longer valid. */
  readonly issue: (callId: string, value: A) => Effect.Effect<string>
  /**
   * Takes the token that a stream shows. The call counts as connected until the scope closes, and gets no second stream.
   * The token is used up, unless it was issued for another call.
   */
  readonly redeem: (callId: string, token: string | undefined) => Effect.Effect<A, StreamNotTrusted, Scope.Scope>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** How long a token waits for its stream. Default: 1 minute. */
  readonly validFor?: Duration.DurationInput
}

interface Issued<A> {
  readonly fingerprint: string
  readonly value: A
  readonly expiresAt: number
}

/**
 * Tokens in the memory of this process: the streams must come to it too. At most 1,024 wait; beyond that, the oldest are
 * no longer valid.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A>({ validFor = "1 minute" }: Options = {}): Effect.Effect<CallTokens<A>> =>
  Effect.map(Effect.clock, (given) => {
    const clock = steadyClock(given)
    const now = () => clock.unsafeCurrentTimeMillis()
    const validMs = Duration.toMillis(validFor)
    /** By call, the oldest first. */
    const waiting = new Map<string, Issued<A>>()
    const callOf = new Map<string, string>()
    const connected = new Set<string>()

    const forget = (callId: string): void => {
      callOf.delete(waiting.get(callId)?.fingerprint ?? "")
      waiting.delete(callId)
    }
    const forgetOldest = (): void => {
      for (const [callId, { expiresAt }] of waiting) {
        if (expiresAt > now() && waiting.size <= limits.maxTokens) return
        forget(callId)
      }
    }

    return {
      issue: (callId, value) =>
        Effect.gen(function* () {
          const token = secret()
          const issued = { fingerprint: yield* fingerprint(token), value, expiresAt: now() + validMs }
          forget(callId)
          waiting.set(callId, issued)
          callOf.set(issued.fingerprint, callId)
          forgetOldest()
          return token
        }),
      redeem: (callId, token) =>
        Effect.gen(function* () {
          const distrust = (reason: StreamNotTrusted["reason"]) => new StreamNotTrusted({ reason, callId })
          if (token === undefined) return yield* distrust("NoToken")
          const shown = yield* fingerprint(token)
          forgetOldest()
          const issued = waiting.get(callId)
          if (issued?.fingerprint !== shown) return yield* distrust(callOf.has(shown) ? "OtherCall" : "UnknownToken")
          forget(callId)
          if (connected.has(callId)) return yield* distrust("SecondStream")
          connected.add(callId)
          yield* Effect.addFinalizer(() => Effect.sync(() => connected.delete(callId)))
          return issued.value
        })
    }
  })
