import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { BenchFailed } from "./Bench.js"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * What is measured is what is published: plain JavaScript from `tsc`. A loader that compiles on the fly wraps functions
 * to keep their names, which costs this library, and not the peer, a good part of its time. Gives the directory.
 */
export const build: Effect.Effect<string, BenchFailed, Scope.Scope> = Effect.gen(function* () {
  const cache = join(root, "node_modules", ".cache")
  const directory = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      await mkdir(cache, { recursive: true })
      return mkdtemp(join(cache, "effect-realtime-bench-"))
    }),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  // Below node_modules, the package's own "type": "module" does not hold.
  yield* Effect.promise(() => writeFile(join(directory, "package.json"), '{"type":"module"}'))
  yield* compile(directory)
  return directory
})

const compile = (directory: string): Effect.Effect<void, BenchFailed> =>
  Effect.async((resume) => {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
    const project = ["-p", join(root, "tsconfig.json"), "--rootDir", root, "--outDir", directory]
    execFile(process.execPath, [tsc, ...project, "--noEmit", "false", "--noCheck"], (error, stdout) => {
      if (error === null) resume(Effect.void)
      else resume(new BenchFailed({ message: `The sources do not compile. Run npm run check.\n${stdout}` }))
    })
  })
