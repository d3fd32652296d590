import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Discretion from "../common/Discretion.js"
import type { Opened } from "./Link.js"
import { maxMessageBytes } from "./limits.js"

const newline = 10
const carriageReturn = 13

/**
 * Tells of each piece of an answer whether a message is too long by now. Each event of a stream is a message, and an
 * empty line ends it. A line ends with CR, LF, or both.
 */
export const tooLong = (limit: number, isStream: boolean): ((piece: Uint8Array) => boolean) => {
  let length = 0
  let isLineEmpty = true
  let last: number | undefined
  return (piece) => {
    if (!isStream) {
      length += piece.length
      return length > limit
    }
    // Several times as fast as an iterator, for each byte of a long stream.
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at]
      const isSecondHalf = byte === newline && last === carriageReturn
      last = byte
      if (isSecondHalf) continue
      length += 1
      const endsLine = byte === newline || byte === carriageReturn
      if (endsLine && isLineEmpty) length = 0
      isLineEmpty = endsLine
      if (length > limit) return true
    }
    return false
  }
}

/** Fetches, and breaks off a message that is too long. A stream of events may go on for ever. */
const limitedFetch: FetchLike = async (url, init) => {
  const response = await fetch(url, init)
  if (response.body === null) return response
  const isStream = (response.headers.get("content-type") ?? "").includes("text/event-stream")
  const isTooLong = tooLong(maxMessageBytes, isStream)
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      if (!isTooLong(chunk)) controller.enqueue(chunk)
      else controller.error(new Error(`It sent a message of more than ${maxMessageBytes / 2 ** 20} MiB.`))
    }
  })
  const { headers, status, statusText } = response
  return new Response(response.body.pipeThrough(counting), { headers, status, statusText })
}

/** Fails with a message that says what to do. */
export const openHttp = (
  address: string,
  headers: { readonly [name: string]: string | Redacted.Redacted }
): Effect.Effect<Opened, string> =>
  Effect.try({
    try: () => {
      const plain = Object.entries(headers).map(
        ([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value] as const
      )
      const url = new URL(address)
      const transport = new StreamableHTTPClientTransport(url, {
        requestInit: { headers: Object.fromEntries(plain) },
        fetch: limitedFetch
      })
      const secrets = [...Discretion.secretsOf(Discretion.headersOf(headers)), ...Discretion.secretsOfUrl(url)]
      return { transport, secrets, goodbye: () => transport.terminateSession() }
    },
    catch: () => `${JSON.stringify(Discretion.showAddress(address))} is not an address.`
  })
