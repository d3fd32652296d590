import * as Effect from "effect/Effect"
import type { ResponseParams } from "../protocol/Response.js"
import { RequestInvalid, RequestOverflow, type SessionClosed } from "../SessionError.js"
import type { Parts } from "./Parts.js"
import { requestKey } from "./requestKey.js"

/**
 * Asks the model for a response. A request with parameters can be refused; otherwise its id is returned, which
 * `ResponseStarted` and `ResponseDone` have as `requestId`.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestResponse {
  (): Effect.Effect<void, SessionClosed>
  (params: ResponseParams): Effect.Effect<string, RequestInvalid | RequestOverflow | SessionClosed>
}

/** The protocol's limit. */
const maxMetadata = 16

/** Why such a request cannot be made now, if it cannot. */
export const refusalOf = (
  { options: { maxWaitingRequests: limit }, responses }: Parts,
  { metadata }: ResponseParams
): RequestInvalid | RequestOverflow | undefined => {
  const tooMany = Object.keys({ ...metadata, [requestKey]: "" }).length - maxMetadata
  if (tooMany > 0) {
    const reason = `a server takes at most ${maxMetadata} pairs, and the session uses one of them. Leave out ${tooMany}.`
    return new RequestInvalid({ param: "response.metadata", reason })
  }
  return responses.waiting() < limit ? undefined : new RequestOverflow({ limit })
}

export const requestResponseWith = (session: Parts): RequestResponse => {
  const { asking, responses } = session
  function requestResponse(): Effect.Effect<undefined, SessionClosed>
  function requestResponse(
    params: ResponseParams
  ): Effect.Effect<string, RequestInvalid | RequestOverflow | SessionClosed>
  function requestResponse(
    params?: ResponseParams
  ): Effect.Effect<string | undefined, RequestInvalid | RequestOverflow | SessionClosed> {
    if (params === undefined)
      return Effect.as(
        asking.command(() => responses.ask([])),
        undefined
      )
    return Effect.flatten(
      asking.command(() => {
        const refusal = refusalOf(session, params)
        return refusal === undefined ? Effect.succeed(responses.request(params)) : Effect.fail(refusal)
      })
    )
  }
  return requestResponse
}
