import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Session from "../../src/Session.js"

const desk = Agent.make("Desk", { instructions: "Be brief." })
const apiKey = Redacted.make("sk-none")

const accept = ({ baseUrl }: EmbeddedRealtime.Served, callId: string) =>
  Effect.promise(() =>
    fetch(`${baseUrl}/realtime/calls/${callId}/accept`, { method: "POST", body: JSON.stringify({ type: "realtime" }) })
  )

describe("A sideband", () => {
  it.scopedLive("waits for a call that the server does not know yet", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve()
      const ringing = yield* server.ring
      const attached = yield* Effect.fork(
        Effect.provide(Session.make(desk), OpenAiRealtime.layer({ apiKey, url: server.url, callId: ringing.id }))
      )
      // The first attempt was refused.
      yield* Effect.sleep("50 millis")
      yield* accept(server, ringing.id)
      const session = yield* Fiber.join(attached)
      yield* ringing.hangUp
      expect(yield* Effect.flip(session.await)).toMatchObject({ _tag: "CallGone", callId: ringing.id })
    })
  )

  it.scopedLive("gives up on a call that never was", () =>
    Effect.gen(function* () {
      const { url } = yield* EmbeddedRealtime.serve()
      const model = yield* OpenAiRealtime.make({ apiKey, url: `${url}?call_id=rtc_9`, attachWithin: 0 })
      expect(yield* Effect.flip(model.connect({}))).toMatchObject({ _tag: "CallGone", callId: "rtc_9" })
    })
  )

  it.scopedLive("takes a fresh key for each connection to its call", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve()
      const ringing = yield* server.ring
      yield* accept(server, ringing.id)
      let asked = 0
      const model = yield* OpenAiRealtime.make({
        apiKey: Effect.sync(() => Redacted.make(`token_number_${++asked}`)),
        url: server.url,
        callId: ringing.id
      })
      yield* model.connect({})
      yield* model.connect({})
      expect(asked).toBe(2)
    })
  )
})
