import { execFile } from "node:child_process"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
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
  const project = join(directory, "tsconfig.json")
  const compilerOptions = { rootDir: root, outDir: directory, noEmit: false, noCheck: true }
  const programs = [join("test", "bench", "process"), join("test", "endurance", "mortal.ts")]
  const include = [join(root, "src"), ...programs.map((program) => join(root, program))]
  yield* Effect.promise(async () => {
    // Below node_modules, the package's own package.json does not apply.
    const { imports } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
    const manifest = JSON.stringify({ type: "module", imports }).replaceAll("./dist/", "./src/")
    await writeFile(join(directory, "package.json"), manifest)
    await writeFile(
      project,
      JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include, exclude: [] })
    )
  })
  yield* compile(project)
  return directory
})

const compile = (project: string): Effect.Effect<void, BenchFailed> =>
  Effect.async((resume) => {
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
    execFile(process.execPath, [tsc, "-p", project], (error, stdout) => {
      if (error === null) resume(Effect.void)
      else resume(new BenchFailed({ message: `The sources do not compile. Run npm run check.\n${stdout}` }))
    })
  })
