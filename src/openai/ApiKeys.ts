/**
 * The API key of each connection: one for all of them, or a new one for each. Also remembers the keys, because a server
 * may repeat any of them.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ApiKeyUnavailable } from "../RealtimeModel.js"
import type { ApiKey } from "./Options.js"

export interface ApiKeys {
  /** The key for one attempt to connect. */
  readonly take: Effect.Effect<Redacted.Redacted, ApiKeyUnavailable>
  /** Whether asking again may give another key. */
  readonly areAsked: boolean
  /** The latest keys, the newest last. */
  readonly given: () => ReadonlyArray<Redacted.Redacted>
}

/** For a server that asks for none. */
export const noKey = Redacted.make("")

/** Ephemeral keys and tokens are valid for minutes to hours. With a new one each minute, this covers 16 minutes. */
const maxGiven = 16

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"
    ? ` with ${error._tag}`
    : ""

const unavailable = (url: string, cause: Cause.Cause<unknown>): ApiKeyUnavailable => {
  const how = Option.match(Cause.failureOption(cause), {
    onNone: () => (Cause.isInterruptedOnly(cause) ? "was interrupted" : "died"),
    onSome: (error) => `failed${tagOf(error)}`
  })
  return new ApiKeyUnavailable({
    url,
    message: `The effect that gives the API key ${how}. Check what it asks for a key, and that it can be reached; \`reason\` has the error, redacted.`,
    reason: Redacted.make<unknown>(Cause.squash(cause))
  })
}

const tooLate = (url: string, within: Duration.Duration): ApiKeyUnavailable =>
  new ApiKeyUnavailable({
    url,
    message: `The effect that gives the API key did not finish within ${Duration.format(within)}. Check what it asks for a key, or raise \`openTimeout\`.`
  })

/** `url`: without secrets, for errors. `within`: the time limit for each key. */
export const make = <E, R>(
  apiKey: ApiKey<E, R>,
  options: { readonly url: string; readonly within: Duration.Duration }
): Effect.Effect<ApiKeys, never, R> =>
  Effect.map(Effect.context<R>(), (context) => {
    let given: ReadonlyArray<Redacted.Redacted> = []
    const remember = (key: Redacted.Redacted): void => {
      const others = given.filter((other) => Redacted.value(other) !== Redacted.value(key))
      given = [...others, key].slice(-maxGiven)
    }
    if (Redacted.isRedacted(apiKey)) {
      remember(apiKey)
      return { take: Effect.succeed(apiKey), areAsked: false, given: () => given }
    }
    const { url, within } = options
    const take = apiKey.pipe(
      Effect.provide(context),
      // Before it runs in another fiber, where its failure would be logged, possibly with a key.
      Effect.sandbox,
      Effect.either,
      // An effect that cannot be interrupted does not delay the time limit.
      Effect.disconnect,
      Effect.timeoutFail({ duration: within, onTimeout: () => tooLate(url, within) }),
      Effect.flatMap(Effect.mapError((cause) => unavailable(url, cause))),
      Effect.tap((key) => Effect.sync(() => remember(key)))
    )
    return { take, areAsked: true, given: () => given }
  })
