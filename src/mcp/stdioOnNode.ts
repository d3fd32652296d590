/** Servers that are programs of this machine, where the condition `node` (`imports` in `package.json`) applies. */

import * as Effect from "effect/Effect"
import * as Discretion from "../common/Discretion.js"
import type { Command } from "./Command.js"
import type { Opened } from "./Link.js"
import { maxReason } from "./limits.js"

/** Fails with a message that says what to do. The program is started when the transport is. */
export const openStdio = ({ args = [], command, cwd, env }: Command): Effect.Effect<Opened, string> =>
  Effect.tryPromise({
    try: async () => {
      const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js")
      const transport = new StdioClientTransport({
        command,
        args: [...args],
        // What a server logs would otherwise appear between the lines of the application.
        stderr: "pipe",
        ...(env === undefined ? {} : { env: { ...env } }),
        ...(cwd === undefined ? {} : { cwd })
      })
      // It must be read: a full pipe would stop the server. Its end tells why a server does not start, or stops.
      const secrets = Discretion.secretsOf(Discretion.headersOf(env))
      const ending = Discretion.endingOf(secrets, 2 * maxReason)
      const decoder = new TextDecoder()
      transport.stderr?.on("data", (chunk: Buffer) => ending.add(decoder.decode(chunk, { stream: true })))
      return { transport, secrets, lastWords: () => inOneLine(ending.text()) }
    },
    catch: () => "The package `@modelcontextprotocol/sdk` cannot be loaded. Install it."
  })

/** Without what only a terminal understands. */
const inOneLine = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is left out
    .replace(/\u001b\[[\d;?]*[A-Za-z]/g, "")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is left out
    .replace(/[\u0000-\u0020\u007f]+/g, " ")
    .trim()
