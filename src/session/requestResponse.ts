import * as Effect from "effect/Effect"
import type { ResponseParams } from "../protocol/Response.js"
import { RequestInvalid, RequestOverflow, type SessionClosed } from "../SessionError.js"
import type { Asking } from "./Asking.js"
import { type Responses, requestKey } from "./Responses.js"

/**
 * Asks the model to speak. Only a request with parameters can be refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface RequestResponse {
  (): Effect.Effect<void, SessionClosed>
  (params: ResponseParams | undefined): Effect.Effect<void, RequestInvalid | RequestOverflow | SessionClosed>
}

/** The protocol's limit. */
const maxMetadata = 16

/** @param maxWaiting how many requests with parameters may wait */
export const requestResponseWith = (
  { command }: Pick<Asking, "command">,
  responses: Pick<Responses, "ask" | "request" | "waiting">,
  maxWaiting: number
): RequestResponse => {
  const refusalOf = ({ metadata }: ResponseParams): RequestInvalid | RequestOverflow | undefined => {
    const tooMany = Object.keys({ ...metadata, [requestKey]: "" }).length - maxMetadata
    if (tooMany > 0) {
      const reason = `a server takes ${maxMetadata} pairs, and one is the session's own. Leave out ${tooMany}.`
      return new RequestInvalid({ param: "response.metadata", reason })
    }
    return responses.waiting() < maxWaiting ? undefined : new RequestOverflow({ limit: maxWaiting })
  }

  function requestResponse(): Effect.Effect<void, SessionClosed>
  function requestResponse(
    params: ResponseParams | undefined
  ): Effect.Effect<void, RequestInvalid | RequestOverflow | SessionClosed>
  function requestResponse(
    params?: ResponseParams
  ): Effect.Effect<void, RequestInvalid | RequestOverflow | SessionClosed> {
    if (params === undefined) return command(() => responses.ask([]))
    const request = command(() => {
      const refusal = refusalOf(params)
      if (refusal === undefined) responses.request(params)
      return refusal
    })
    return Effect.flatMap(request, (refusal) => (refusal === undefined ? Effect.void : Effect.fail(refusal)))
  }
  return requestResponse
}
