import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** The official server with everything, over HTTP: its address, once it listens. It is killed with the scope. */
export const everythingOverHttp = (file: string, port: number): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [file, "streamableHttp"], {
          env: { ...process.env, PORT: String(port) },
          stdio: ["ignore", "ignore", "pipe"]
        })
      ),
      (child) =>
        Effect.async<void>((resume) => {
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    yield* Effect.async<void>((resume) => {
      child.stderr.on("data", (chunk: Buffer) => {
        if (chunk.includes("listening")) resume(Effect.void)
      })
    })
    return `http://127.0.0.1:${port}/mcp`
  })
