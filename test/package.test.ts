import { readdirSync, readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))
const src = join(root, "src")

/** What a module imports when it is loaded: not types, and not what it loads on demand. */
const importsOf = (file: string): ReadonlyArray<string> => {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "")
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?from\s+)?"([^"]+)"/gm)
  return Array.from(statements, ([, specifier = ""]) => specifier)
}

/** Every module that loads with `entry`, and what it takes from outside. */
const closureOf = (entry: string) => {
  const modules = new Set<string>()
  const packages = new Map<string, string>()
  const visit = (file: string): void => {
    if (modules.has(file)) return
    modules.add(file)
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith(".")) visit(resolve(dirname(file), specifier.replace(/\.js$/, ".ts")))
      else packages.set(specifier, relative(root, file))
    }
  }
  visit(join(src, entry))
  return { modules, packages }
}

const isNode = (specifier: string) =>
  specifier.startsWith("node:") || specifier === "ws" || builtinModules.includes(specifier)

const sources = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"))
const layerOf = (file: string): string =>
  file.includes("/") ? file.slice(0, file.indexOf("/")) : file.replace(/\.ts$/, "")

describe("The package", () => {
  for (const entry of ["index.ts", "EmbeddedRealtime.ts"]) {
    it(`loads nothing of Node with ${entry}: it runs in a browser`, () => {
      const { modules, packages } = closureOf(entry)
      expect(modules.size).toBeGreaterThan(20)
      expect([...packages].filter(([specifier]) => isNode(specifier))).toEqual([])
    })
  }

  it("loads optional peers with entries of their own only", () => {
    const { peerDependenciesMeta } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const optional = Object.keys(peerDependenciesMeta)
    const needing = sources.filter((file) => {
      const { packages } = closureOf(file)
      return !file.includes("/") && optional.some((name) => [...packages.keys()].some((key) => key.startsWith(name)))
    })
    expect(needing).toEqual(["SessionJournalSql.ts"])
  })

  it("keeps what is Node's in few modules, each loaded on demand", () => {
    const reaching = sources.filter((file) => importsOf(join(src, file)).some(isNode))
    expect(reaching.sort()).toEqual(["embedded/serve.ts", "openai/nodeWebSocket.ts"])
  })

  it("exports an entry for each public module, and nothing else", () => {
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
    const modules = sources.filter((file) => !file.includes("/") && !["index.ts", "cli.ts"].includes(file))
    const expected = modules.map((file) => `./${file.replace(/\.ts$/, "")}`)
    expect(Object.keys(exports).sort()).toEqual([".", "./package.json", ...expected].sort())
    for (const file of modules) {
      expect(exports[`./${file.replace(/\.ts$/, "")}`]).toBe(`./dist/${file.replace(/\.ts$/, ".js")}`)
    }
  })

  it("keeps what tests users' agents out of what runs them", () => {
    const { modules } = closureOf("index.ts")
    const isTesting = (file: string) => /^testing(\.ts$|\/)/.test(file)
    expect([...modules].map((file) => relative(src, file)).filter(isTesting)).toEqual([])
    const importers = sources.filter((file) =>
      /from\s+"[^"]*\/testing(\.js|\/)/.test(readFileSync(join(src, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, ""))
    )
    expect(importers.filter((file) => !isTesting(file))).toEqual([])
    expect([...closureOf("testing.ts").packages].filter(([specifier]) => isNode(specifier))).toEqual([])
  })

  it("imports one way: the protocol knows nobody, machines know the protocol, providers do not know the session", () => {
    const known: Readonly<Record<string, ReadonlyArray<string>>> = {
      protocol: ["protocol"],
      machine: ["machine", "protocol", "Conversation"],
      event: ["event", "protocol", "Conversation", "ToolError"],
      tool: ["tool", "Tool", "ToolError"],
      journal: ["journal", "protocol", "Conversation"],
      openai: ["openai", "protocol", "Protocol", "RealtimeModel"],
      embedded: ["embedded", "protocol", "Protocol", "RealtimeModel", "Audio"]
    }
    for (const file of sources) {
      const allowed = known[layerOf(file)]
      if (allowed === undefined) continue
      const text = readFileSync(join(src, file), "utf8").replace(/\/\*[\s\S]*?\*\//g, "")
      for (const [, specifier = ""] of text.matchAll(/from\s+"(\.[^"]+)"/g)) {
        const target = relative(src, resolve(dirname(join(src, file)), specifier.replace(/\.js$/, ".ts")))
        expect(allowed, `${file} imports ${target}`).toContain(layerOf(target))
      }
    }
  })
})
