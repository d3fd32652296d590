import { request } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Agent from "../../src/Agent.js"
import { type Fault, paths } from "../../src/console/Protocol.js"
import { serve } from "../../src/console/serve.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { connect, secret } from "../gateway/harness.js"

const options = {
  port: 0,
  token: Redacted.make(secret),
  files: new Map(),
  agent: Agent.make("Desk", { instructions: "" }),
  mind: "",
  voice: "",
  hears: false
}

/** Asks with the token, and returns the status. */
const ask = (origin: string, path: string, headers: Readonly<Record<string, string>>, body?: string) =>
  Effect.promise(
    () =>
      new Promise<number | undefined>((resolve, reject) => {
        const given = { authorization: `Bearer ${secret}`, ...headers }
        const asked = request(
          `${origin}${path}`,
          { method: body === undefined ? "GET" : "POST", headers: given },
          (response) => {
            response.resume()
            resolve(response.statusCode)
          }
        )
        asked.once("error", reject)
        asked.end(body)
      })
  )

const fault = JSON.stringify({ _tag: "DropConnection" } satisfies Fault)

describe("The console", () => {
  it.scopedLive("answers its own page, and programs that send no origin", () =>
    Effect.gen(function* () {
      const { origin } = yield* Effect.provide(serve(options), EmbeddedRealtime.layer())
      expect(yield* ask(origin, paths.about, { origin })).toBe(200)
      expect(yield* ask(origin, paths.about, {})).toBe(200)
      expect(yield* ask(origin, paths.faults, { origin }, fault)).toBe(204)
      expect(yield* ask(origin, paths.faults, {}, fault)).toBe(204)
    })
  )

  it.scopedLive("refuses pages of other origins, other hosts and wrong tokens, also for faults and calls", () =>
    Effect.gen(function* () {
      const { origin } = yield* Effect.provide(serve(options), EmbeddedRealtime.layer())
      for (const foreign of ["http://evil.example", "null", "http://127.0.0.1:1"]) {
        const headers = { origin: foreign }
        expect(yield* ask(origin, paths.about, headers)).toBe(403)
        expect(yield* ask(origin, paths.faults, headers, fault)).toBe(403)
        const call = yield* Effect.flip(connect(Number(new URL(origin).port), { path: paths.call, headers }))
        expect(call.status).toBe(403)
      }
      expect(yield* ask(origin, "/", { host: "evil.example" })).toBe(421)
      expect(yield* ask(origin, paths.faults, { host: "evil.example" }, fault)).toBe(421)
      expect(yield* ask(origin, paths.about, { authorization: "Bearer guessed" })).toBe(401)
      expect(yield* ask(origin, paths.faults, { authorization: "Bearer guessed" }, fault)).toBe(401)
      const wrong = yield* Effect.flip(connect(Number(new URL(origin).port), { path: paths.call, token: "guessed" }))
      expect(wrong.status).toBe(401)
    })
  )

  it.scopedLive("stops at once, even if a page has a call, and the page is told", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { origin } = yield* serve(options).pipe(Effect.provide(EmbeddedRealtime.layer()), Scope.extend(scope))
      const page = yield* connect(Number(new URL(origin).port), { path: paths.call })
      page.send({ _tag: "Start", playback: "estimated" })
      yield* page.first("Welcome")
      yield* Scope.close(scope, Exit.void)
      expect(yield* page.first("Ended")).toMatchObject({ reason: "ShutDown" })
    })
  )
})
