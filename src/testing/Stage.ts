import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as EmbeddedRealtime from "../EmbeddedRealtime.js"
import type { Traits } from "../RealtimeModel.js"
import type { Program } from "./Program.js"

/** The server, as far as a program sees it. */
export type Cast = Pick<EmbeddedRealtime.Embedded, "model" | "connection" | "connections">

/**
 * The server of a program, and what can happen there. The default is the embedded server. Another one plays another
 * provider: its `observe` is told what a session's connection gives, in the session's own protocol.
 */
export class Stage extends Context.Reference<Stage>()("effect-realtime/testing/Stage", {
  defaultValue: (): {
    /** The scope is that of the program. `pass`: lets time pass, in milliseconds. */
    readonly make: (
      options: EmbeddedRealtime.Options,
      program: Program,
      pass: (ms: number) => Effect.Effect<void>
    ) => Effect.Effect<Cast, never, Scope.Scope>
    /** A program without what cannot happen there. */
    readonly adapt: (program: Program) => Program
    /** The names of laws that speak of what this server does not have. */
    readonly excused: (program: Program) => ReadonlyArray<string>
    /** What the laws must know of its connections, where it differs from OpenAI's WebSocket. */
    readonly traits?: Traits
  } => ({ make: EmbeddedRealtime.make, adapt: (program) => program, excused: () => [] })
}) {}
