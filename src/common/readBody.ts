import type * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export interface Body {
  /** As far as it is read. */
  readonly bytes: Uint8Array
  readonly isWhole: boolean
}

/** A body from somebody who may send any. What is longer than this is not read. */
export const readBody = <E>(
  message: HttpIncomingMessage.HttpIncomingMessage<E>,
  maxBytes: number
): Effect.Effect<Body, E> =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let length = 0
    let isWhole = true
    return message.stream.pipe(
      Stream.runForEachWhile((part) =>
        Effect.sync(() => {
          isWhole = length + part.length <= maxBytes
          if (!isWhole) return false
          length += part.length
          parts.push(part)
          return true
        })
      ),
      Effect.map(() => ({ bytes: joined(parts, length), isWhole }))
    )
  })

/** `undefined`: it is longer than this. The platform's own limit is kept by some of its servers only. */
export const readRequest = (
  request: HttpServerRequest,
  maxBytes: number
): Effect.Effect<Uint8Array | undefined, Effect.Effect.Error<HttpServerRequest["text"]>> =>
  // Before a byte of it is read, the answer reaches whoever sends it. Later, Node's server cuts the connection.
  Number(request.headers["content-length"] ?? 0) > maxBytes
    ? Effect.succeed(undefined)
    : Effect.map(readBody(request, maxBytes), ({ bytes, isWhole }) => (isWhole ? bytes : undefined))

const joined = (parts: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
