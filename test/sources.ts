import { readdirSync, readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join, relative, resolve } from "node:path"
import { root } from "./child.js"

const src = join(root, "src")

/** Every module, relative to `src`. */
export const sources: ReadonlyArray<string> = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) =>
  /\.tsx?$/.test(file)
)

/** What a module imports, as it is written there. */
const specifiersOf = (file: string, pattern: RegExp): ReadonlyArray<string> => {
  const text = readFileSync(join(src, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "")
  return Array.from(text.matchAll(pattern), ([, specifier = ""]) => specifier)
}

/** What a module imports when it is loaded: not types, and not what it loads on demand. */
export const loadedBy = (file: string): ReadonlyArray<string> =>
  specifiersOf(file, /^(?:import|export)\s+(?!type\b)(?:[^"';]*?from\s+)?"([^"]+)"/gm)

/** All that a module imports, types and what it loads on demand included. */
export const importedBy = (file: string): ReadonlyArray<string> =>
  specifiersOf(file, /(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"/g)

export const isOwn = (specifier: string): boolean => /^[.#]/.test(specifier)

const { imports }: { readonly imports: { readonly [specifier: string]: { readonly [condition: string]: string } } } =
  JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

export const isNode = (specifier: string): boolean =>
  specifier.startsWith("node:") || specifier === "ws" || builtinModules.includes(specifier)

/** The modules that another one means, relative to `src`: more than one where the platform decides. */
export const resolved = (file: string, specifier: string): ReadonlyArray<string> =>
  specifier.startsWith("#")
    ? Object.values(imports[specifier] ?? {}).map((path) => path.replace(/^\.\/dist\/(.*)\.js$/, "$1.ts"))
    : [moduleAt(relative(src, resolve(dirname(join(src, file)), specifier.replace(/\.js$/, ".ts"))))]

const moduleAt = (path: string): string => (sources.includes(path) ? path : path.replace(/\.ts$/, ".tsx"))

/** The folder that a module is in, or its name if it is at the root. */
export const layerOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : nameOf(file))

export const nameOf = (file: string): string => file.replace(/\.tsx?$/, "")

/** Every module that loads with `entry`, and its external imports, with the modules that import them. */
export const closureOf = (entry: string) => {
  const modules = new Set<string>()
  const packages = new Map<string, string>()
  const visit = (file: string): void => {
    if (modules.has(file)) return
    modules.add(file)
    for (const specifier of loadedBy(file)) {
      if (isOwn(specifier)) resolved(file, specifier).forEach(visit)
      else packages.set(specifier, file)
    }
  }
  visit(entry)
  return { modules, packages }
}

/** What applications import; the command and its console are programs of their own. */
export const library: ReadonlyArray<string> = sources.filter(
  (file) => !["cli", "command", "console"].includes(layerOf(file))
)

/** The modules that need Node: each is loaded when it is asked for, or runs in a thread of its own. */
export const onDemand: ReadonlyArray<string> = [
  "embedded/serve.ts",
  "openai/nodeWebSocket.ts",
  "voice/nodeThread.ts",
  "voice/worker/installed.ts",
  "voice/worker/main.ts"
]
