import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as instruments from "../src/session/telemetry/instruments.js"
import { root } from "./child.js"
import { compile } from "./compile.js"
import { eventsPage } from "./docs/eventsPage.js"
import { adds, installs, packagesOf } from "./docs/installLines.js"

interface Snippet {
  /** Relative to the repository. */
  readonly source: string
  /** The line of the snippet's first line in its source, from 1. */
  readonly line: number
  readonly code: string
}

const isFence = (line: string): boolean => /^```/.test(line)

/** The `ts` blocks of a text, in which each line begins with `prefix` or with less of it. */
const snippetsOf = (source: string, prefix: RegExp = /^/): ReadonlyArray<Snippet> => {
  const snippets: Array<Snippet> = []
  const lines = readFileSync(join(root, source), "utf8")
    .split("\n")
    .map((line) => line.replace(prefix, ""))
  for (let start = 0; start < lines.length; start += 1) {
    if (!/^```ts\b/.test(lines[start] ?? "")) continue
    const length = lines.slice(start + 1).findIndex(isFence)
    if (length < 0) throw new Error(`${source}:${start + 1}: the block does not end.`)
    snippets.push({ source, line: start + 2, code: lines.slice(start + 1, start + 1 + length).join("\n") })
    start += length + 1
  }
  return snippets
}

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join("src", file))
  .sort()

const guides = readdirSync(join(root, "docs"))
  .filter((file) => file.endsWith(".md"))
  .map((file) => `docs/${file}`)
const pages = ["README.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md", ...guides]

const readme = snippetsOf("README.md")
const snippets = [
  ...pages.flatMap((page) => snippetsOf(page)),
  ...sources.flatMap((source) => snippetsOf(source, /^\s*\* ?/))
]

/** Names the places in the sources instead of those in the compiled files. */
const toSources = (diagnostics: string): ReadonlyArray<string> =>
  diagnostics
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) =>
      line.replace(/^(?:.*\/)?(\d+)\.ts\((\d+),(\d+)\)/, (whole, index: string, row: string, column: string) => {
        const snippet = snippets[Number(index)]
        return snippet === undefined
          ? whole
          : `${relative(root, join(root, snippet.source))}:${snippet.line + Number(row) - 1}:${column}`
      })
    )

const textOf = (page: string): string => readFileSync(join(root, page), "utf8")

/** The heading's address, as GitHub makes it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-")

const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(Array.from(textOf(page).matchAll(/^#+ (.*)$/gm), ([, heading = ""]) => anchorOf(heading)))

/** What a page links to in this repository. */
const linksOf = (page: string): ReadonlyArray<string> =>
  Array.from(textOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target).filter(
    (target) => !/^[a-z]+:/.test(target)
  )

const isBroken = (page: string, link: string): boolean => {
  const [path = "", anchor] = link.split("#")
  const target = path === "" ? page : join(dirname(page), path)
  return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).has(anchor))
}

describe("the snippets in the guides and in the docs of the modules", () => {
  it("are there", () => {
    expect(snippets.length).toBeGreaterThan(20)
    expect(snippets.filter(({ source }) => source.startsWith("docs/")).length).toBeGreaterThan(10)
  })

  it("compile", async () => {
    expect(
      toSources(
        await compile(
          "snippets",
          snippets.map(({ code }) => code)
        )
      )
    ).toEqual([])
  })

  it("begin with the example that can be run", () => {
    expect(readme[0]?.code).toBe(readFileSync(join(root, "examples/quickstart.ts"), "utf8").trimEnd())
  })
})

describe("the README", () => {
  it("is short", () => {
    expect(textOf("README.md").length).toBeLessThanOrEqual(12_000)
  })

  it("leads to every guide", () => {
    expect(linksOf("README.md")).toEqual(expect.arrayContaining(guides))
  })
})

describe("the lines that install", () => {
  const manifest = JSON.parse(textOf("package.json"))
  const ranges: { readonly [name: string]: string } = { ...manifest.devDependencies, ...manifest.peerDependencies }
  const required = Object.keys(manifest.peerDependencies).filter((name) => !(name in manifest.peerDependenciesMeta))

  it("are the same in the README and in the guide, and name every peer that is not optional", () => {
    const line = installs("README.md") ?? ""
    expect(installs("docs/installation.md")).toBe(line)
    expect(packagesOf(line).map(([name]) => name)).toEqual(expect.arrayContaining(required))
    expect(line).toContain(`./${manifest.name}-${manifest.version}.tgz`)
  })

  it("name a version of every package, and the one that this repository uses, if it uses it", () => {
    expect(adds.length).toBeGreaterThan(8)
    for (const line of [installs("README.md") ?? "", ...adds]) {
      const packages = packagesOf(line)
      expect(packages.length, line).toBe(line.split(" ").filter((word) => /^@?[a-z]/.test(word)).length - 2)
      for (const [name, version] of packages) {
        // It asks for Vitest 3; here, package.json overrides that.
        if (name in ranges && name !== "vitest") expect(ranges[name], line).toMatch(new RegExp(`^\\^?${version}\\b`))
      }
    }
  })
})

describe("the table of events", () => {
  it("is what `npm run docs:events` writes: all events, as the schemas and their comments have them", () => {
    expect(textOf("docs/events.md")).toBe(eventsPage())
  })
})

describe("the table of metrics", () => {
  it("has every metric of a session, with its unit and its attributes", () => {
    const rows = Array.from(
      textOf("docs/observability.md").matchAll(/^\| `([^`]+)` +\| \w+ +\| `([^`]+)` +\| ([^|]*)\|/gm)
    )
    const listed = rows.map(([, name, unit, attributes = ""]) => ({
      name,
      unit,
      attributes: Array.from(attributes.matchAll(/`([^`]+)`/g), ([, attribute]) => attribute)
    }))
    const all = Object.values(instruments).map(({ attributes, name, unit }) => ({ name, unit, attributes }))
    expect(listed).toEqual(all.sort((one, other) => (one.name < other.name ? -1 : 1)))
  })
})

describe("every page", () => {
  it.each(pages)("%s links to what is there", (page) => {
    expect(linksOf(page).filter((link) => isBroken(page, link))).toEqual([])
  })

  it.each(guides)("%s ends with where the code is", (guide) => {
    expect(
      textOf(guide)
        .match(/^## .*$/gm)
        ?.at(-1)
    ).toBe("## Where the code is")
  })
})
