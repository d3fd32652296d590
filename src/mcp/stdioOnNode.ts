/** Servers that are programs of this machine, where the condition `node` (`imports` in `package.json`) applies. */

import * as Effect from "effect/Effect"
import * as Discretion from "../openai/Discretion.js"
import type { Command } from "./Command.js"
import type { Opened } from "./Link.js"

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
      // Nobody reads it: a full pipe would stop the server.
      transport.stderr?.on("data", () => undefined)
      return { transport, secrets: Discretion.secretsOf(Discretion.headersOf(env)) }
    },
    catch: () => "The package `@modelcontextprotocol/sdk` cannot be loaded. Install it."
  })
