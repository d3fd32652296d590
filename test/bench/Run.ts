import { readFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { join } from "node:path"
import { root } from "./Build.js"
import type { Row } from "./Row.js"

/** The results of `npm run bench`, as `--json` prints them, from which the page of results is made. */
export interface Run {
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  readonly machine: Machine
  readonly date: string
  /** How often each case was run with fresh processes. */
  readonly rounds: number
  readonly rows: ReadonlyArray<Row>
}

/** The machine that the figures come from, and its other load: load averages of one minute. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly loadBefore: number
  readonly loadAfter: number
}

const versionOf = (directory: string): string => {
  // The border with JSON: every package has a version.
  const manifest: { version: string } = JSON.parse(readFileSync(join(root, directory, "package.json"), "utf8"))
  return manifest.version
}

export const versions = (): Run["versions"] => ({
  "effect-realtime": versionOf("."),
  ...Object.fromEntries(
    ["effect", "ws", "@openai/agents-realtime"].map((name) => [name, versionOf(join("node_modules", name))])
  )
})

export const load = (): number => Math.round((loadavg()[0] ?? 0) * 10) / 10

export const machine = (loadBefore: number): Machine => ({
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  loadBefore,
  loadAfter: load()
})
