import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Agent from "../../src/Agent.js"
import { paths } from "../../src/console/Protocol.js"
import { serve } from "../../src/console/serve.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { connect, secret } from "../gateway/harness.js"

const options = {
  port: 0,
  token: Redacted.make(secret),
  files: new Map(),
  agent: Agent.make("Desk", { instructions: "" }),
  mind: "",
  voice: ""
}

describe("The console", () => {
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
