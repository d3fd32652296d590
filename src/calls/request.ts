/** One request to the service: its key, its time limit, and the meaning of its answer. */
import type * as Headers from "@effect/platform/Headers"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Discretion from "../common/Discretion.js"
import { type Body, readBody } from "../common/readBody.js"
import { type ApiKeyUnavailable, CallGone } from "../RealtimeModel.js"
import { type CallsError, CallsUnreachable, RequestRefused } from "./CallsError.js"

export interface Call {
  /** Such as `accept`, for errors and spans. */
  readonly action: string
  readonly url: string
  readonly contentType: string
  /** Absent: no body at all. */
  readonly body: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** The call that it is about: 404 means that this call is gone. Absent: 404 means that the address is wrong. */
  readonly callId: string | undefined
}

export interface Answer {
  readonly headers: Headers.Headers
  readonly text: string
}

export interface Caller {
  readonly client: HttpClient.HttpClient
  readonly timeout: Duration.Duration
  readonly take: Effect.Effect<Redacted.Redacted, ApiKeyUnavailable>
  /** Whether asking for the key again may give another one. */
  readonly mayChange: boolean
}

/** What a request that never reached the service fails with, in Node. A browser does not tell. */
const notReached = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

/** How long an answer may be, in UTF-16 code units, as far as it is shown. */
const maxShown = 500

/** The same of a name, such as that of a field. */
const maxNamed = 100

/** The longest answer that is read: an SDP answer has some kilobytes. In bytes. */
export const maxAnswerBytes = 1_048_576

const codesOf = (error: unknown, depth = 0): ReadonlyArray<unknown> =>
  depth > 5 || !Predicate.isRecord(error)
    ? []
    : [
        error["code"],
        ...codesOf(error["cause"], depth + 1),
        // One for each address of a host.
        ...(Array.isArray(error["errors"]) ? error["errors"].flatMap((one) => codesOf(one, depth + 1)) : [])
      ]

const wasNotReached = (error: HttpClientError.HttpClientError): boolean =>
  error._tag === "RequestError" && codesOf(error).some((code) => typeof code === "string" && notReached.has(code))

/** A request that was accepted is not repeated: `accept` and the others are not idempotent. */
const again = Schedule.intersect(Schedule.exponential("100 millis"), Schedule.recurs(3))

interface ServiceError {
  readonly code: string | undefined
  readonly param: string | undefined
  readonly message: string | undefined
}

const word = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

const errorIn = (text: string): ServiceError => {
  const nothing: ServiceError = { code: undefined, param: undefined, message: undefined }
  try {
    const body: unknown = JSON.parse(text)
    const error = Predicate.isRecord(body) ? body["error"] : undefined
    return Predicate.isRecord(error)
      ? { code: word(error["code"]), param: word(error["param"]), message: word(error["message"]) }
      : nothing
  } catch {
    return nothing
  }
}

const advice = (status: number): string => {
  switch (status) {
    case 400:
      return "Correct the request."
    case 401:
      return "Check that the API key is complete, not expired, and of the project that the call belongs to."
    case 403:
      return "Check the permissions of the API key."
    case 404:
      return "Check the address of the service."
    case 429:
      return "Wait and try again, or raise the account's limits."
    default:
      return status >= 500 ? "The service has a problem: try again later, if that does no harm." : "Read what it said."
  }
}

const refusal = (call: Call, status: number, text: string, redact: Discretion.Redact): CallGone | RequestRefused => {
  const { callId } = call
  if (status === 404 && callId !== undefined) {
    const message = `There is no call ${JSON.stringify(callId)} any more: the caller is gone, it was answered before, or it rings at another region's host.`
    return new CallGone({ callId, message })
  }
  const error = errorIn(text)
  const named = (name: string) => redact(name.slice(0, 4 * maxShown)).slice(0, maxNamed)
  const said = redact((error.message ?? text).slice(0, 4 * maxShown)).slice(0, maxShown)
  return new RequestRefused({
    action: call.action,
    status,
    ...(error.code === undefined ? {} : { code: named(error.code) }),
    ...(error.param === undefined ? {} : { param: named(error.param) }),
    message: `The service refused to ${call.action} (HTTP ${status}). ${said === "" ? "" : `It said: ${said} `}${advice(status)}`
  })
}

const unreachable = (call: Call, mayBeDone: boolean, why: string): CallsUnreachable =>
  new CallsUnreachable({
    action: call.action,
    mayBeDone,
    message: `The service did not answer to ${call.action}: ${why} Check the address and the network${mayBeDone ? ", and whether it was done, before you try again" : ", and try again"}.`
  })

const requestOf = (call: Call, key: Redacted.Redacted): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.post(call.url).pipe(
    HttpClientRequest.setHeaders(call.headers),
    HttpClientRequest.bearerToken(Redacted.value(key).trim())
  )
  return call.body === undefined
    ? request
    : HttpClientRequest.setBody(request, HttpBody.text(call.body, call.contentType))
}

const tooLong = (call: Call, status: number): RequestRefused =>
  new RequestRefused({
    action: call.action,
    status,
    message: `The service's answer to ${call.action} is longer than ${maxAnswerBytes / 2 ** 20} MiB. Check that the address is the one of the Realtime API.`
  })

const nothing: Body = { bytes: new Uint8Array(), isWhole: true }

const bodyOf = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<Body, HttpClientError.HttpClientError> =>
  Effect.catchIf(readBody(response, maxAnswerBytes), isEmpty, () => Effect.succeed(nothing))

const isEmpty = (error: HttpClientError.HttpClientError): boolean =>
  error._tag === "ResponseError" && error.reason === "EmptyBody"

const attempt = (
  call: Call,
  { client, timeout }: Caller,
  key: Redacted.Redacted
): Effect.Effect<Answer, CallGone | RequestRefused | CallsUnreachable> => {
  const redact = Discretion.redactor([Redacted.value(key).trim()])
  const failed = (error: HttpClientError.HttpClientError) => {
    const isLost = !wasNotReached(error)
    return unreachable(call, isLost, isLost ? "the connection broke." : "it could not be reached.")
  }
  const read = (response: HttpClientResponse.HttpClientResponse) =>
    Effect.flatMap(
      Effect.mapError(bodyOf(response), failed),
      ({ bytes, isWhole }): Effect.Effect<Answer, CallGone | RequestRefused> => {
        const { headers, status } = response
        const text = new TextDecoder().decode(bytes)
        if (status < 200 || status >= 300) return refusal(call, status, text, redact)
        return isWhole ? Effect.succeed<Answer>({ headers, text }) : tooLong(call, status)
      }
    )
  // The traces of this application are no concern of the service.
  return HttpClient.withTracerPropagation(client, false)
    .execute(requestOf(call, key))
    .pipe(
      Effect.retry({ while: wasNotReached, schedule: again }),
      Effect.mapError(failed),
      Effect.flatMap(read),
      Effect.timeoutFail({
        duration: timeout,
        onTimeout: () => unreachable(call, true, `nothing came within ${Duration.format(timeout)}.`)
      })
    )
}

/** Sends it, with a fresh key if the first one is not accepted: a token may expire on its way. */
export const execute = (call: Call, caller: Caller): Effect.Effect<Answer, CallsError> =>
  Effect.gen(function* () {
    const key = yield* caller.take
    return yield* Effect.catchTag(attempt(call, caller, key), "RequestRefused", (refused) =>
      refused.status !== 401 || !caller.mayChange
        ? refused
        : Effect.flatMap(caller.take, (fresh) =>
            Redacted.value(fresh) === Redacted.value(key) ? refused : attempt(call, caller, fresh)
          )
    )
  }).pipe(Effect.withSpan(`Calls.${call.action}`, { captureStackTrace: false }))
