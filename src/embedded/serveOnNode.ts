/**
 * The embedded server on a port, where the condition `node` holds (`imports` in `package.json`). The server itself is
 * loaded when it is asked for, so that whoever imports the library does not load HTTP with it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import type { ListenFailed, PortTaken, Served, ServeOptions } from "./Served.js"

export const serve = (
  options: ServeOptions
): Effect.Effect<Served, OptionsInvalid | PortTaken | ListenFailed, Scope.Scope> =>
  Effect.flatMap(
    Effect.promise(() => import("./serve.js")),
    (node) => node.serve(options)
  )
