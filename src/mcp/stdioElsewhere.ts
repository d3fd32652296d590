/** What takes the place of `stdioOnNode.ts` wherever the condition `node` does not hold: no page can start a program. */

import * as Effect from "effect/Effect"
import type { Command } from "./Command.js"
import type { Opened } from "./Link.js"

export const openStdio = (_: Command): Effect.Effect<Opened, string> =>
  Effect.fail("A page cannot start a program. Use Mcp.http.")
