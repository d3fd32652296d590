import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { EmbeddedRealtime } from "effect-realtime"
import { root } from "../child.js"
import { chromium as browser } from "../chromium.js"
import * as Browser from "./Browser.js"
import * as Project from "./Project.js"

/** Without chrono-node, which is optional. `ws` and Node's modules are in no bundle, or the bundlers would fail. */
const packages = [
  "effect",
  "@effect/ai",
  "@effect/cluster",
  "@effect/experimental",
  "@effect/platform",
  "@effect/rpc",
  "@effect/sql",
  "@effect/workflow",
  "@modelcontextprotocol/sdk",
  "ws"
]

let project: Project.Project

// It compiles the package.
beforeAll(async () => {
  project = await Project.make(packages)
}, 180_000)

afterAll(() => rmSync(project.folder, { recursive: true, force: true }))

const bundlers: ReadonlyArray<readonly [name: string, bundle: Project.Bundler]> = [
  ["esbuild", Project.withEsbuild],
  ["Vite", Project.withVite]
]

describe("Every public entry", () => {
  it.each(bundlers)("can be bundled for a browser by %s, and loads", async (_, bundle) => {
    expect(project.entries.length).toBeGreaterThan(15)
    const files = project.entries.map((entry, index) =>
      Project.write(project, `entry${index}.ts`, `export * from ${JSON.stringify(entry)}\n`)
    )
    const counts = await Project.load(project, await bundle(project, ...files))
    expect(counts.length).toBe(files.length)
    expect(counts.filter((count) => count === 0)).toEqual([])
  })
})

/**
 * How many times the size of the same use of effect alone, minified. Where the names come from the barrels, esbuild
 * keeps all of each module of effect whose name is imported, and fast-check with `Schema`: in both alike. Vite, and
 * esbuild with a path for each name, keep what is used only.
 */
const budgets = [
  { of: "tool", bundler: "esbuild", from: "barrels", atMost: 1.15 },
  { of: "tool", bundler: "esbuild", from: "paths", atMost: 1.15 },
  { of: "tool", bundler: "Vite", from: "barrels", atMost: 1.15 },
  { of: "session", bundler: "esbuild", from: "barrels", atMost: 1.38 },
  { of: "session", bundler: "esbuild", from: "paths", atMost: 1.8 },
  { of: "session", bundler: "Vite", from: "barrels", atMost: 1.88 }
] as const

/** The table of the guide: names and kilobytes of a bundle. */
const rows = Array.from(
  readFileSync(join(root, "docs/browser.md"), "utf8").matchAll(
    /^\| (?<of>`Tool`|`Session`.*?) +\| (?<from>Vite|esbuild.*?) +\| (?<ours>\d+) kB \(\d+ kB\) +\| (?<alone>\d+) kB/gm
  ),
  ({ groups = {} }) => ({
    of: groups["of"] === "`Tool`" ? "tool" : "session",
    from: groups["from"] === "Vite" ? "Vite" : groups["from"]?.endsWith("path for each") ? "paths" : "barrels",
    ours: Number(groups["ours"]),
    alone: Number(groups["alone"])
  })
)

const kB = ({ bytes, gzipped }: Project.Size): string =>
  `${(bytes / 1_000).toFixed(1)} kB (${(gzipped / 1_000).toFixed(1)} gzip)`

describe("The size of a bundle", () => {
  it.each(budgets)("of a $of with $bundler, names from $from: at most $atMost of effect alone", async (budget) => {
    const bundle = budget.bundler === "Vite" ? Project.withVite : Project.withEsbuild
    const measure = async (file: string) =>
      Project.sizeOf(await bundle(project, budget.from === "paths" ? Project.withPaths(project, file) : file))
    const ours = await measure(`${budget.of}.ts`)
    const alone = await measure(`${budget.of}.baseline.ts`)
    const ratio = ours.bytes / alone.bytes
    console.log(
      `${budget.of}, ${budget.bundler}, ${budget.from}: ${kB(ours)}; effect alone ${kB(alone)}; ${ratio.toFixed(3)}`
    )
    expect(ratio).toBeLessThanOrEqual(budget.atMost)
    const from = budget.bundler === "Vite" ? "Vite" : budget.from
    const row = rows.find((row) => row.of === budget.of && row.from === from)
    // Effect may be a newer one in the range.
    for (const [said, { bytes }] of [
      [row?.ours, ours],
      [row?.alone, alone]
    ] as const) {
      expect(Math.abs((said ?? 0) * 1_000 - bytes), "as docs/browser.md says").toBeLessThan(bytes / 100)
    }
  })

  it.each(bundlers)("of a tool has nothing of the session in it, by %s", async (_, bundle) => {
    const code = Project.read(await bundle(project, "tool.ts"))
    expect(code).toContain("effect-realtime/Tool")
    for (const word of ["session.update", "response.create", "ConnectionLost"]) expect(code).not.toContain(word)
  })
})

describe("The client of a gateway", () => {
  it.each(bundlers)("has nothing of a session in its bundle, by %s", async (name, bundle) => {
    const file = Project.write(project, "client.ts", 'export * from "effect-realtime/gateway-client"\n')
    const paths = await bundle(project, file)
    const code = Project.read(paths)
    expect(code).toContain("effect-realtime-microphone")
    for (const word of ["input_audio_buffer.append", "response.create"]) expect(code).not.toContain(word)
    const size = Project.sizeOf(paths)
    console.log(`client of a gateway, ${name}: ${kB(size)}`)
    expect(size.bytes).toBeLessThan(360_000)
  })
})

const question = "What is the weather in Paris and in Atlantis?"
const failure = "No station reports from Atlantis."

const pages: ReadonlyArray<readonly [name: string, build: Project.PageBuilder]> = [
  ["esbuild", Project.pageWithEsbuild],
  ["Vite", Project.pageWithVite]
]

const where = browser === undefined ? " (skipped: no Chromium is installed, and CHROMIUM names none)" : ""

describe(`A page in a browser${where}`, () => {
  for (const [name, build] of pages) {
    it.skipIf(browser === undefined)(`bundled by ${name}, talks with a server, and has one of its own`, async () => {
      const folder = await build(project)
      const { outputs, refused, report } = await Effect.gen(function* () {
        const server = yield* EmbeddedRealtime.serve({ apiKey: Redacted.make("ek_browser") })
        const report = yield* Browser.visit(browser ?? "", folder, { url: server.url, question })
        const connection = yield* server.nextConnection
        return { report, refused: yield* connection.refused, outputs: yield* connection.outputs }
      }).pipe(Effect.scoped, Effect.runPromise)
      expect(report).toEqual({
        entries: Object.fromEntries(project.entries.map((entry) => [entry, true])),
        tool: {
          name: "get_weather",
          definition: ["city"],
          asked: { city: "Paris" },
          answered: { celsius: 21 }
        },
        session: [
          expect.stringMatching(/^ToolFailure \{.*No station reports from Atlantis\./),
          expect.stringContaining("It is sunny in Paris.")
        ],
        baseline: expect.arrayContaining(["It is sunny in Paris."]),
        embedded: [expect.stringContaining(failure)],
        serve: expect.stringMatching(/^ListenFailed: A page cannot listen on a port\./)
      })
      expect(refused).toEqual([])
      expect(outputs.map(({ output }) => output).toSorted()).toEqual([
        "It is sunny in Paris.",
        expect.stringContaining(failure)
      ])
    })
  }
})
