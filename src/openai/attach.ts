/** How a sideband reaches its call. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ConnectError } from "../RealtimeModel.js"
import { CallGone, HandshakeRefused } from "../RealtimeModel.js"
import type { EndpointOptions } from "./Endpoint.js"

/** Between two attempts, in milliseconds. */
const interval = 250

const isUnknown = (error: ConnectError): boolean => error._tag === "HandshakeRefused" && error.status === 404

const gone = (callId: string, { url }: HandshakeRefused): CallGone =>
  new CallGone({
    callId,
    message: `The server knows no call ${JSON.stringify(callId)}: it is over, or it never was at ${url}. Check the id, and whether the host is the one that the call was made at.`
  })

/** The call that the options name, if any. */
export const callIdOf = ({ callId, url }: EndpointOptions): string | undefined => {
  const given = String(url ?? "")
  return callId ?? (URL.canParse(given) ? (new URL(given).searchParams.get("call_id") ?? undefined) : undefined)
}

/**
 * Connects to a call: tries again for some time while the call is not known yet, but not once it has been. All attempts
 * of one call share the result.
 */
export const attaching = (callId: string, within: Duration.Duration) => {
  let wasKnown = false
  const attempts = Math.floor(Duration.toMillis(within) / interval)
  return <A, R>(connect: Effect.Effect<A, ConnectError, R>): Effect.Effect<A, ConnectError, R> =>
    connect.pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          wasKnown = true
        })
      ),
      Effect.retry({
        while: (error) => isUnknown(error) && !wasKnown,
        schedule: Schedule.intersect(Schedule.spaced(interval), Schedule.recurs(attempts))
      }),
      Effect.mapError((error) => (error instanceof HandshakeRefused && isUnknown(error) ? gone(callId, error) : error))
    )
}
