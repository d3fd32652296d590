import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join, normalize } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { launch } from "../chromium.js"

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

/** Opens the page of a folder in a headless Chromium, with a query, and returns its report. */
export const visit = (
  browser: string,
  folder: string,
  query: Readonly<Record<string, string>>
): Effect.Effect<unknown, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const { report, url } = yield* site(folder)
    const { left } = yield* launch(browser, [`${url}?${new URLSearchParams(query)}`])
    return yield* Effect.tryPromise({
      try: () => Promise.race([report, left]),
      catch: (error) => (error instanceof Error ? error : new Error(String(error)))
    })
  })
