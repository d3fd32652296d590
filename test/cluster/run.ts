/** Runs a program whose result is its exit code. Interrupted, as by Ctrl-C, it ends the processes that it started first. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"

export const run = (program: Effect.Effect<number, { readonly message: string }, Scope.Scope>): void =>
  program.pipe(
    Effect.catchAll(({ message }) =>
      Effect.as(
        Effect.sync(() => console.error(message)),
        2
      )
    ),
    Effect.scoped,
    NodeRuntime.runMain({
      teardown: (exit, end) => end(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : 130)
    })
  )
