import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Opened } from "./Link.js"

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
      const transport = new StreamableHTTPClientTransport(new URL(address), {
        requestInit: { headers: Object.fromEntries(plain) }
      })
      return { transport, goodbye: () => transport.terminateSession() }
    },
    catch: () => `${JSON.stringify(address)} is not an address.`
  })
