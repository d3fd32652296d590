import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { extname, join, normalize } from "node:path"
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

const types: { readonly [extension: string]: string } = { ".html": "text/html", ".js": "text/javascript" }

/** Serves a folder, and returns its page's report: one POST of JSON to `/report`. */
const site = (folder: string): Effect.Effect<{ url: string; report: Promise<unknown> }, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.async<{ server: ReturnType<typeof createServer>; report: Promise<unknown> }>((resume) => {
        let reported: (value: unknown) => void = () => undefined
        const report = new Promise<unknown>((resolve) => {
          reported = resolve
        })
        const server = createServer((request, response) => {
          const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname)
          if (path === "/report") {
            let body = ""
            request.setEncoding("utf8")
            request.on("data", (chunk) => {
              body += chunk
            })
            request.on("end", () => {
              response.end()
              reported(JSON.parse(body))
            })
            return
          }
          try {
            const file = readFileSync(join(folder, path === "/" ? "index.html" : path))
            response.writeHead(200, { "Content-Type": types[extname(path) || ".html"] ?? "application/octet-stream" })
            response.end(file)
          } catch {
            response.writeHead(404)
            response.end()
          }
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, report })))
      }),
      ({ server }) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    ),
    ({ report, server }) => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      return { url: `http://127.0.0.1:${port}/`, report }
    }
  )

const killGroup = (pid: number): void => void process.kill(-pid, "SIGKILL")

/** Opens the page of a folder in a headless Chromium, with a query, and returns its report. */
export const visit = (
  browser: string,
  folder: string,
  query: Readonly<Record<string, string>>
): Effect.Effect<unknown, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const { report, url } = yield* site(folder)
    const profile = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-realtime-chromium-"))),
      // Node tries to remove a folder again, but not what came into it since.
      (path) =>
        Effect.try(() => rmSync(path, { recursive: true, force: true })).pipe(
          Effect.retry({ times: 40, schedule: Schedule.spaced("50 millis") }),
          Effect.orDie
        )
    )
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          browser,
          [
            ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
            ...["--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"],
            ...["--disable-sync", "--remote-debugging-port=0", `--user-data-dir=${profile}`],
            `${url}?${new URLSearchParams(query)}`
          ],
          { stdio: ["ignore", "ignore", "pipe"], detached: true }
        )
      ),
      (process) =>
        Effect.async<void>((resume) => {
          if (process.exitCode !== null || process.signalCode !== null) return resume(Effect.void)
          process.once("exit", () => resume(Effect.void))
          // Its children write to the profile as well.
          if (process.pid !== undefined) killGroup(process.pid)
        })
    )
    let said = ""
    child.stderr.on("data", (chunk) => {
      said += String(chunk)
    })
    const left = new Promise<never>((_, reject) =>
      child.once("exit", (code) => reject(new Error(`The browser left with ${code}: ${said}`)))
    )
    return yield* Effect.tryPromise({
      try: () => Promise.race([report, left]),
      catch: (error) => (error instanceof Error ? error : new Error(String(error)))
    })
  })
