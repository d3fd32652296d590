import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"

const names = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]

/** The Chromium of this machine, or that of the variable `CHROMIUM`. */
export const chromium: string | undefined = [process.env["CHROMIUM"], ...names].find((name) => {
  if (name === undefined) return false
  try {
    execFileSync(name, ["--version"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})

export interface Launched {
  /** The address of its DevTools. */
  readonly devTools: Promise<string>
  /** Rejects when the browser ends by itself, with what it printed. */
  readonly left: Promise<never>
}

const often = Schedule.spaced("50 millis")

/** Kills the browser and the processes that it started, which are its group, until there is nobody left to kill. */
const killGroup = (pid: number): Effect.Effect<void> =>
  Effect.try(() => process.kill(-pid, "SIGKILL")).pipe(
    // Where nobody collects dead processes, they stay in the group.
    Effect.repeat({ times: 100, schedule: often }),
    Effect.ignore
  )

/** Starts a headless Chromium with an empty profile. All of it ends, and the profile is removed, with the scope. */
export const launch = (browser: string, args: ReadonlyArray<string>): Effect.Effect<Launched, never, Scope.Scope> =>
  Effect.gen(function* () {
    const profile = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-realtime-chromium-"))),
      // Node tries to remove a folder again, but not what came into it since.
      (path) =>
        Effect.try(() => rmSync(path, { recursive: true, force: true })).pipe(
          Effect.retry({ times: 40, schedule: often }),
          Effect.orDie
        )
    )
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          browser,
          [
            ...["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-quic", "--no-first-run"],
            ...["--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
            ...["--disable-sync", "--remote-debugging-port=0", `--user-data-dir=${profile}`],
            ...args
          ],
          { stdio: ["ignore", "ignore", "pipe"], detached: true }
        )
      ),
      ({ pid }) => (pid === undefined ? Effect.void : killGroup(pid))
    )
    let said = ""
    const devTools = new Promise<string>((resolve) => {
      child.stderr.on("data", (chunk) => {
        said += String(chunk)
        const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? []
        if (address !== undefined) resolve(address)
      })
    })
    const left = new Promise<never>((_, reject) => {
      child.once("error", reject)
      child.once("exit", (code) => reject(new Error(`The browser left with ${code}: ${said}`)))
    })
    // Nobody may be waiting for it when the scope closes.
    left.catch(() => undefined)
    return { devTools, left }
  })
