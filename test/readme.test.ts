import { execFile } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { root } from "./child.js"

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

const readme = snippetsOf("README.md")
const snippets = [...readme, ...sources.flatMap((source) => snippetsOf(source, /^\s*\* ?/))]

/** Below node_modules, so that neither git nor the formatter sees it, and imports resolve as they do for a user. */
const folder = join(root, "node_modules/.cache/snippets")

const compile = (): Promise<string> => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [index, { code }] of snippets.entries()) {
    // A snippet is a module of its own, also where it imports and exports nothing.
    writeFileSync(join(folder, `${index}.ts`), `${code}\nexport {}\n`)
  }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: { noUnusedLocals: false, typeRoots: [join(root, "node_modules/@types")] },
      include: ["*.ts"],
      exclude: []
    })
  )
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
      { cwd: folder },
      (_, stdout, stderr) => resolve(stdout + stderr)
    )
  })
}

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

describe("the snippets in the README and in the docs of the modules", () => {
  it("are there", () => {
    expect(readme.length).toBeGreaterThan(3)
    expect(snippets.length).toBeGreaterThan(readme.length + 5)
  })

  it("compile", async () => {
    expect(toSources(await compile())).toEqual([])
  })

  it("begin with the example that can be run", () => {
    expect(readme[0]?.code).toBe(readFileSync(join(root, "examples/quickstart.ts"), "utf8").trimEnd())
  })
})
