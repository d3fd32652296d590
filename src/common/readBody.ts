import type * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/**
 * The body of a request, which anybody may have sent. `undefined`: it is longer than this, and the rest is not read. The
 * platform's own limit is kept by some of its servers only.
 */
export const readBody = <E>(
  request: HttpIncomingMessage.HttpIncomingMessage<E>,
  maxBytes: number
): Effect.Effect<Uint8Array | undefined, E> =>
  Effect.suspend(() => {
    const parts: Array<Uint8Array> = []
    let length = 0
    return request.stream.pipe(
      Stream.runForEachWhile((part) =>
        Effect.sync(() => {
          length += part.length
          parts.push(part)
          return length <= maxBytes
        })
      ),
      Effect.map(() => (length > maxBytes ? undefined : joined(parts, length)))
    )
  })

const joined = (parts: ReadonlyArray<Uint8Array>, length: number): Uint8Array => {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
