/**
 * The programs of these tests, each in one file of JavaScript: a node then starts in a second, and not in the many that
 * two cores need to load a thousand modules, and what is killed is the program itself and not a loader around it.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { build, type Plugin } from "esbuild"

const root = fileURLToPath(new URL("../..", import.meta.url))

export interface Programs {
  readonly model: string
  readonly node: string
  /** A node of the next version. */
  readonly next: string
}

/** What the next version will say of itself. */
const nextVersion: Plugin = {
  name: "next version",
  setup: ({ onLoad }) => {
    onLoad({ filter: /src\/cluster\/Command\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8")
      const contents = text.replace(
        /^export const version = (\d+)$/m,
        (_, version) => `export const version = ${Number(version) + 1}`
      )
      if (contents === text) throw new Error("Command.ts names no version.")
      return { contents, loader: "ts" }
    })
  }
}

export const make: Effect.Effect<Programs, never, Scope.Scope> = Effect.gen(function* () {
  const cache = join(root, "node_modules", ".cache")
  const directory = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      await mkdir(cache, { recursive: true })
      return mkdtemp(join(cache, "effect-realtime-cluster-"))
    }),
    (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
  )
  const bundle = (to: string, programs: ReadonlyArray<string>, plugins: Array<Plugin>) =>
    build({
      absWorkingDir: root,
      entryPoints: programs.map((program) => join(root, "test", "cluster", program)),
      outdir: join(directory, to),
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "linked",
      sourcesContent: false,
      external: ["pg-native", "bufferutil", "utf-8-validate", "cloudflare:sockets"],
      // CommonJS libraries ask for Node's modules.
      banner: {
        js: `import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);`
      },
      logLevel: "error",
      plugins
    })
  yield* Effect.promise(async () => {
    await bundle("this", ["model.ts", "node.ts"], [])
    await bundle("next", ["node.ts"], [nextVersion])
  })
  return {
    model: join(directory, "this", "model.mjs"),
    node: join(directory, "this", "node.mjs"),
    next: join(directory, "next", "node.mjs")
  }
})
