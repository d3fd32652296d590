/**
 * The key of each connection: one for all of them, or one that is asked for each time. And all that were given, for a
 * server may say any of them back.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { ApiKeyUnavailable } from "../RealtimeModel.js"
import type { ApiKey } from "./Options.js"

export interface ApiKeys {
  /** A key for one attempt to connect. */
  readonly take: Effect.Effect<Redacted.Redacted, ApiKeyUnavailable>
  /** Whether asking again may give another key. */
  readonly areAsked: boolean
  /** Those that were given last, the newest last. */
  readonly given: () => ReadonlyArray<Redacted.Redacted>
}

/** Ephemeral keys and tokens live for minutes up to hours; who gives a new one each minute has 16 minutes of them. */
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
    message: `The effect that gives the API key gave none within ${Duration.format(within)}. Check what it asks for a key, or raise \`openTimeout\`.`
  })

/** `url`: without secrets, for errors. `within`: for each time that a key is asked for. */
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
      // Before it runs beside us, where its failure would be logged, and a key with it.
      Effect.sandbox,
      Effect.either,
      // An effect that can't be interrupted does not hold the clock.
      Effect.disconnect,
      Effect.timeoutFail({ duration: within, onTimeout: () => tooLate(url, within) }),
      Effect.flatMap(Effect.mapError((cause) => unavailable(url, cause))),
      Effect.tap((key) => Effect.sync(() => remember(key)))
    )
    return { take, areAsked: true, given: () => given }
  })
