import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as EmbeddedRealtime from "../EmbeddedRealtime.js"
import type { Action } from "./Program.js"

/** The server, as far as a program sees it. */
export type Cast = Pick<EmbeddedRealtime.Embedded, "model" | "connection" | "connections">

/**
 * The server of a program, and what can happen there. The default is the embedded server. Another one plays another
 * provider: its `observe` is told what a session's connection gives, in the session's own protocol.
 */
export class Stage extends Context.Reference<Stage>()("effect-realtime/testing/Stage", {
  defaultValue: (): {
    readonly make: (options: EmbeddedRealtime.Options) => Effect.Effect<Cast>
    readonly plays: (action: Action) => boolean
  } => ({ make: EmbeddedRealtime.make, plays: () => true })
}) {}
