import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url))

export interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a TypeScript file as a reader of the repository would, without a terminal. */
export const run = (
  file: string,
  args: ReadonlyArray<string> = [],
  options: {
    readonly reads?: "all" | "the beginning"
    readonly environment?: NodeJS.ProcessEnv
    readonly input?: string
    readonly timeoutMs?: number
  } = {}
): Promise<Run> =>
  new Promise((resolve) => {
    const { FORCE_COLOR: _, NO_COLOR: __, OPENAI_API_KEY: ___, ...environment } = process.env
    const child = execFile(
      process.execPath,
      ["--import", "tsx", file, ...args],
      { cwd: root, env: { ...environment, ...options.environment }, timeout: options.timeoutMs ?? 60_000 },
      (error, stdout, stderr) => {
        // Killed by a signal, a process has no code.
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
        resolve({ code, stdout, stderr })
      }
    )
    if (options.reads === "the beginning") child.stdout?.once("data", () => child.stdout?.destroy())
    child.stdin?.end(options.input ?? "")
  })
