import * as HttpApp from "@effect/platform/HttpApp"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Health from "../../src/cluster/Health.js"
import type { CallHost } from "../../src/cluster.js"

type State = CallHost.Health["state"]

/** The pages of a node, and what an orchestrator reads. */
const make = Effect.gen(function* () {
  const health = yield* Health.make
  const handler = HttpApp.toWebHandler(Effect.provideService(Health.app, Health.Health, health))
  const get = (path: string, method = "GET") =>
    Effect.promise(async () => {
      const response = await handler(new Request(`http://node${path}`, { method }))
      const text = await response.text()
      return [response.status, text === "" ? undefined : JSON.parse(text)] as const
    })
  const scope = yield* Scope.make()
  let state: State = "Accepting"
  const host = {
    health: Effect.sync(() => ({ nodeId: "n1#a", group: "n1", address: "10.0.0.1:1", state, calls: 12 }))
  }
  return {
    get,
    joins: Scope.extend(health.watch(host), scope),
    stops: Scope.close(scope, Exit.void),
    becomes: (next: State) =>
      Effect.sync(() => {
        state = next
      })
  }
})

describe("The pages for an orchestrator", () => {
  it.effect("say that a node lives, and takes no calls, until it has joined", () =>
    Effect.gen(function* () {
      const { get, joins } = yield* make
      expect(yield* get("/health")).toEqual([200, { state: "Starting", calls: 0 }])
      expect(yield* get("/ready")).toEqual([503, { state: "Starting", calls: 0 }])
      yield* joins
      expect(yield* get("/ready")).toEqual([200, { state: "Accepting", calls: 12 }])
    })
  )

  for (const state of ["Full", "Lapsed", "Draining"] as const) {
    it.effect(`send no callers to a node that is ${state}, and leave it alive`, () =>
      Effect.gen(function* () {
        const { becomes, get, joins } = yield* make
        yield* joins
        yield* becomes(state)
        expect(yield* get("/ready")).toEqual([503, { state, calls: 12 }])
        expect(yield* get("/health")).toEqual([200, { state, calls: 12 }])
      })
    )
  }

  it.effect("send no callers to a node from the moment in which it stops", () =>
    Effect.gen(function* () {
      const { get, joins, stops } = yield* make
      yield* joins
      yield* stops
      expect(yield* get("/ready")).toEqual([503, { state: "Draining", calls: 12 }])
      expect((yield* get("/health"))[0]).toBe(200)
    })
  )

  it.effect("are two, and can only be read", () =>
    Effect.gen(function* () {
      const { get } = yield* make
      expect((yield* get("/"))[0]).toBe(404)
      expect((yield* get("/ready?now"))[0]).toBe(503)
      expect((yield* get("/health", "HEAD"))[0]).toBe(200)
      expect((yield* get("/health", "POST"))[0]).toBe(405)
    })
  )
})
