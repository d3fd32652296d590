import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { WebSocket } from "ws"
import { GatewayClient } from "../../src/gateway-client.js"
import { root, run } from "../child.js"
import { freePort } from "../freePort.js"
import * as Postgres from "./postgres.js"

const ended = (child: ReturnType<typeof spawn>) =>
  Effect.async<number | null>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.succeed(child.exitCode))
    child.once("exit", (code) => resume(Effect.succeed(code)))
  })

describe.skipIf(!Postgres.isHere)(`The server of examples/cluster${Postgres.where}`, () => {
  it.scopedLive(
    "begins calls, takes callers by WebSocket, carries out commands, and ends with 0 when it is told to stop",
    () =>
      Effect.gen(function* () {
        const directory = yield* Effect.acquireRelease(
          Effect.promise(() => mkdtemp(join(tmpdir(), "effect-realtime-server-"))),
          (made) => Effect.promise(() => rm(made, { recursive: true, force: true }))
        )
        const bundle = join(directory, "server.mjs")
        const built = yield* Effect.promise(() => run("examples/cluster/build.ts", [bundle]))
        expect(built.stderr).toBe("")
        const postgres = yield* Postgres.make
        const database = yield* postgres.database("effect_realtime_server")
        const [port, pagesPort, nodePort] = yield* Effect.all([freePort, freePort, freePort])
        const child = yield* Effect.acquireRelease(
          Effect.sync(() =>
            spawn(process.execPath, [bundle], {
              cwd: root,
              stdio: ["ignore", "ignore", "inherit"],
              env: {
                PATH: process.env["PATH"],
                DATABASE_URL: database.url,
                NODE_HOST: "127.0.0.1",
                NODE_PORT: String(nodePort),
                PORT: String(port),
                PAGES_PORT: String(pagesPort),
                API_TOKEN: "a token of this test",
                CALL_SECRET: "the same secret at all nodes of this test"
              }
            })
          ),
          (child) =>
            Effect.zipRight(
              Effect.sync(() => child.kill("SIGKILL")),
              ended(child)
            )
        )
        const statusOf = (page: string) =>
          Effect.tryPromise(async () => (await fetch(`http://127.0.0.1:${pagesPort}${page}`)).status)
        yield* Effect.retry(
          Effect.filterOrFail(statusOf("/ready"), (status) => status === 200),
          Schedule.spaced("100 millis")
        )
        const ask = (method: string, path: string, body?: unknown, token = "a token of this test") =>
          Effect.promise(async () => {
            const response = await fetch(`http://127.0.0.1:${port}${path}`, {
              method,
              headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
              ...(body === undefined ? {} : { body: JSON.stringify(body) })
            })
            const text = await response.text()
            return [response.status, text === "" ? undefined : JSON.parse(text)] as const
          })
        expect((yield* ask("POST", "/calls", undefined, "another token of the test"))[0]).toBe(401)
        const [created, { id }] = yield* ask("POST", "/calls")
        expect(created).toBe(201)
        expect((yield* ask("POST", `/calls/${id}/text`, { text: "A table for four, please." }))[0]).toBe(204)
        expect(yield* ask("GET", `/calls/${id}`)).toEqual([200, expect.objectContaining({ agent: "Desk", epoch: 1 })])
        expect((yield* ask("GET", "/calls/nobody"))[0]).toBe(404)
        expect((yield* ask("DELETE", `/calls/${id}`))[0]).toBe(204)
        expect((yield* ask("GET", `/calls/${id}`))[0]).toBe(410)
        const client = yield* GatewayClient.connect({
          url: `ws://127.0.0.1:${port}/call`,
          token: Redacted.make("a token of this test"),
          webSocket: WebSocket
        })
        yield* client.sendText("A table for two, please.")
        expect((yield* ask("GET", `/calls/${client.welcome.callId}`))[0]).toBe(200)
        expect(yield* statusOf("/health")).toBe(200)
        yield* Effect.sync(() => child.kill("SIGTERM"))
        expect(yield* ended(child)).toBe(0)
      })
  )
})
