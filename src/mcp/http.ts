import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Discretion from "../openai/Discretion.js"
import type { Opened } from "./Link.js"
import { maxMessageBytes } from "./limits.js"

/** The end of a server-sent event: an empty line. */
const eventEnds = [
  [10, 10],
  [13, 13],
  [13, 10, 13, 10]
].map((bytes) => Uint8Array.from(bytes))

/** Where the last event in a chunk ends; 0 if none does. */
const endIn = (chunk: Uint8Array): number => {
  for (let at = chunk.length; at > 0; at -= 1) {
    if (eventEnds.some((end) => end.every((byte, index) => chunk[at - end.length + index] === byte))) return at
  }
  return 0
}

/** Fetches, and breaks off a message that is too long. A stream of events may go on for ever. */
const limitedFetch: FetchLike = async (url, init) => {
  const response = await fetch(url, init)
  if (response.body === null) return response
  const isStream = (response.headers.get("content-type") ?? "").includes("text/event-stream")
  let length = 0
  const counting = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      const end = isStream ? endIn(chunk) : 0
      length = end === 0 ? length + chunk.length : chunk.length - end
      if (length <= maxMessageBytes) controller.enqueue(chunk)
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
