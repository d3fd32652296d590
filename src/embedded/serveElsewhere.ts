/**
 * What takes the place of `serveOnNode.ts` wherever the condition `node` does not hold: no page can listen.
 */
import * as Effect from "effect/Effect"
import { ListenFailed, type ServeOptions } from "./Served.js"

export const serve = ({ host = "127.0.0.1", port = 0 }: ServeOptions): Effect.Effect<never, ListenFailed> =>
  Effect.fail(
    new ListenFailed({
      host,
      port,
      message: "A page cannot listen on a port. Use EmbeddedRealtime.layer, which needs none, or serve from Node."
    })
  )
