/** One request to a chat endpoint, and the stream of its answer. */
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Part, Request } from "../embedded/Mind.js"
import { retryAfter } from "../openai/retryAfter.js"
import { partsOf, type Read } from "./Answer.js"
import { parse } from "./Chunk.js"
import { EventDecoder } from "./EventDecoder.js"
import * as Failure from "./Failure.js"
import { messagesOf } from "./Messages.js"

/** The endpoint, with everything that a request needs. */
export interface Endpoint {
  readonly client: HttpClient.HttpClient
  readonly url: URL
  readonly model: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly timeout: Duration.Duration
  readonly body: { readonly [field: string]: unknown }
  readonly spoken: string
}

/** The request's body. */
export const bodyOf = ({ body, model, spoken }: Pick<Endpoint, "body" | "model" | "spoken">, request: Request) => ({
  model,
  messages: messagesOf(request, spoken),
  ...(request.tools.length === 0
    ? {}
    : {
        tools: request.tools.map(({ description, name, parameters }) => ({
          type: "function",
          function: { name, description, parameters }
        }))
      }),
  ...toolChoice(request),
  stream: true,
  stream_options: { include_usage: true },
  ...body
})

/** Omitted if there are no tools or the model decides: some endpoints do not support the field. */
const toolChoice = ({ toolChoice, tools }: Request): { readonly tool_choice?: unknown } => {
  if (tools.length === 0) return {}
  switch (toolChoice._tag) {
    case "Auto":
    case "None":
      return {}
    case "Required":
      return { tool_choice: "required" }
    case "Function":
      return { tool_choice: { type: "function", function: { name: toolChoice.name } } }
  }
}

/** The parts of the answer. However the stream ends, the request ends with it. */
export const complete = (endpoint: Endpoint, request: Request): Stream.Stream<Part, Failure.ChatFailed> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const { timeout, url } = endpoint
      const post = HttpClientRequest.post(url.href, {
        headers: Headers.fromInput([...endpoint.headers, ["accept", "text/event-stream"]])
      }).pipe(HttpClientRequest.bodyUnsafeJson(bodyOf(endpoint, request)))
      const response = yield* endpoint.client
        .pipe(HttpClient.withScope)
        .execute(post)
        .pipe(
          Effect.mapError((error) => Failure.unreachable(error, url.host)),
          Effect.timeoutFail({ duration: timeout, onTimeout: () => Failure.silent(timeout) })
        )
      const bytes = limited(
        response.stream.pipe(
          Stream.mapError(() => Failure.brokenOff),
          Stream.timeoutFail(() => Failure.silent(timeout), timeout)
        )
      )
      if (response.status !== 200) return yield* refusalOf(response, bytes)
      const contentType = response.headers["content-type"] ?? ""
      if (/^text\/event-stream\b/i.test(contentType)) return partsOf(eventsOf(bytes))
      if (/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)) return partsOf(wholeOf(bytes))
      return yield* Failure.foreign(contentType)
    })
  )

/** The longest answer, in MiB. */
export const maxAnswerMiB = 16

/** Stops an answer that would otherwise never end. */
const limited = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E | Failure.ChatFailed> =>
  Stream.suspend(() => {
    let total = 0
    return Stream.tap(bytes, ({ length }) => {
      total += length
      return total > maxAnswerMiB * 2 ** 20 ? Failure.endless(maxAnswerMiB) : Effect.void
    })
  })

/** The answer is over after `[DONE]`, even if the connection stays open. */
const eventsOf = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<Read, E> =>
  Stream.suspend(() => {
    const events = new EventDecoder()
    return Stream.concat(
      Stream.mapConcat(bytes, (piece) => events.push(piece).map(read)),
      // An unreadable last event was cut off.
      Stream.suspend(() =>
        Stream.fromIterable(
          events
            .end()
            .map(read)
            .filter(({ _tag }) => _tag !== "Unreadable")
        )
      )
    )
  }).pipe(Stream.takeUntil(({ _tag }) => _tag === "Done"))

const read = (data: string): Read => (data.trim() === "[DONE]" ? { _tag: "Done" } : parse(data))

/** The answer of an endpoint that does not stream, although it was asked to. */
const wholeOf = <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<Read, E> =>
  Stream.concat(Stream.map(Stream.fromEffect(textOf(bytes)), parse), Stream.make({ _tag: "Done" } as const))

const textOf = <E>(bytes: Stream.Stream<Uint8Array, E>): Effect.Effect<string, E> =>
  Stream.mkString(Stream.decodeText(bytes))

/** How much of a refusal is read, in bytes. */
export const maxRefusalBytes = 64 * 1_024

const refusalOf = <E>(
  { headers, status }: HttpClientResponse.HttpClientResponse,
  bytes: Stream.Stream<Uint8Array, E>
): Effect.Effect<never, Failure.ChatFailed> =>
  Effect.gen(function* () {
    let length = 0
    const beginning = Stream.takeUntil(bytes, (piece) => {
      length += piece.length
      return length >= maxRefusalBytes
    })
    // A refusal whose body is incomplete or empty is still a refusal.
    const body = yield* Effect.orElseSucceed(textOf(beginning), () => "")
    const wait = retryAfter(
      { retryAfter: headers["retry-after"], retryAfterMs: headers["retry-after-ms"] },
      yield* Clock.currentTimeMillis
    )
    return yield* Failure.refused(status, body, wait)
  })
