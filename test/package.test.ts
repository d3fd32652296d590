import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { root } from "./child.js"
import { closureOf, importedBy, isNode, isOwn, library, loadedBy, nameOf, onDemand, sources } from "./sources.js"

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

describe("The package", () => {
  for (const entry of ["index.ts", "EmbeddedRealtime.ts"]) {
    it(`loads nothing of Node with ${entry}: it runs in a browser`, () => {
      const { modules, packages } = closureOf(entry)
      expect(modules.size).toBeGreaterThan(20)
      expect([...packages].filter(([specifier]) => isNode(specifier))).toEqual([])
    })
  }

  it("needs nothing but effect for the client of a gateway", () => {
    const { packages } = closureOf("gateway-client.ts")
    expect(packages.size).toBeGreaterThan(5)
    expect([...packages.keys()].filter((specifier) => !specifier.startsWith("effect/"))).toEqual([])
  })

  it("loads optional peers with entries of their own only", () => {
    const optional = Object.keys(manifest.peerDependenciesMeta)
    const needing = sources.filter((file) => {
      const { packages } = closureOf(file)
      return !file.includes("/") && optional.some((name) => [...packages.keys()].some((key) => key.startsWith(name)))
    })
    expect(needing.toSorted()).toEqual(["Mcp.ts", "SessionJournalSql.ts", "Toolkit.ts", "cluster.ts"])
  })

  it("keeps what is Node's in few modules, each loaded on demand", () => {
    const reaching = library.filter((file) => loadedBy(file).some(isNode))
    expect(reaching.toSorted()).toEqual(onDemand)
  })

  it("loads the parser of dates with the embedded server's own mind only", () => {
    const named = sources.filter((file) => importedBy(file).some((specifier) => specifier.startsWith("chrono-node")))
    expect(named).toEqual(["embedded/router/chrono.ts"])
    for (const file of sources) expect([...closureOf(file).packages.keys()]).not.toContain("chrono-node/en")
  })

  it("imports nothing but its dependencies and peers: what the command needs beyond them is bundled with it", () => {
    const installed = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]
    const foreign = library.flatMap((file) =>
      importedBy(file).filter(
        (specifier) =>
          !isOwn(specifier) &&
          !specifier.startsWith("node:") &&
          !installed.some((name) => specifier === name || specifier.startsWith(`${name}/`))
      )
    )
    expect(foreign).toEqual([])
  })

  it("exports an entry for each public module, and nothing else", () => {
    const { exports } = manifest
    const modules = sources.filter((file) => !file.includes("/") && !["index.ts", "cli.ts"].includes(file)).map(nameOf)
    const expected = modules.map((name) => `./${name}`)
    expect(Object.keys(exports).sort()).toEqual([".", "./package.json", ...expected].sort())
    for (const name of modules) expect(exports[`./${name}`]).toBe(`./dist/${name}.js`)
  })
})
