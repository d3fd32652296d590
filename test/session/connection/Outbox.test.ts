import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import * as Agent from "../../../src/Agent.js"
import { call, say } from "../../../src/ScriptedModel.js"
import type { SessionEvent } from "../../../src/SessionEvent.js"
import { Tap } from "../../../src/session/publishing/Tap.js"
import * as Tool from "../../../src/Tool.js"
import { open, outputFrame } from "../harness.js"

const echo = Tool.make("echo", { description: "Echo", handler: () => Effect.succeed("echo") })
const agent = Agent.make("Desk", { instructions: "Desk.", tools: [echo] })

const fault = new Error("out of order")

/** Breaks the publishing of these events. */
const breaking = (isBroken: (event: SessionEvent) => boolean) => ({
  played: () => undefined,
  published: (event: SessionEvent) => {
    if (isBroken(event)) throw fault
  }
})

const thrown = ({ reason }: { readonly reason?: Redacted.Redacted<unknown> | undefined }) =>
  reason && Redacted.value(reason)

describe("A step of the session that throws", () => {
  it.scoped("is published, and the outputs and events behind it are sent", () =>
    Effect.gen(function* () {
      const calls = [call("echo", {}, { callId: "c1" }), call("echo", {}, { callId: "c2" })]
      const isFirst = (event: SessionEvent) => event._tag === "ToolStarted" && event.call.callId === "c1"
      const h = yield* open(agent, [calls, [say("Done.")]]).pipe(Effect.provideService(Tap, breaking(isFirst)))
      expect((yield* h.session.ask("Go.")).text).toBe("Done.")
      expect(yield* h.outputs).toEqual([outputFrame("c1", "echo"), outputFrame("c2", "echo")])
      expect(h.all("InputFailed").map(thrown)).toEqual([fault])
      expect(h.all("ToolSucceeded")).toHaveLength(2)
    })
  )

  it.scoped("does no harm to the session if the application's logger throws", () =>
    Effect.gen(function* () {
      const logger = Logger.make(() => {
        throw fault
      })
      const h = yield* open(agent, [[say("Done.")]]).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.Debug)
      )
      const connection = yield* h.model.connection
      const code = "response_cancel_not_active"
      yield* connection.push({
        type: "error",
        error: { type: "invalid_request_error", code, message: "Too late.", param: null, event_id: null }
      })
      yield* h.first("InputFailed")
      expect(h.all("InputFailed").map(thrown)).toEqual([fault])
      expect((yield* h.session.ask("Go.")).text).toBe("Done.")
    })
  )

  it.scoped("ends the session if it cannot be published", () =>
    Effect.gen(function* () {
      let isBroken = false
      const h = yield* open(agent, [[say("Hello.")]]).pipe(
        Effect.provideService(
          Tap,
          breaking(() => isBroken)
        )
      )
      isBroken = true
      yield* Effect.exit(h.session.sendText("Go."))
      const exit = yield* Effect.exit(h.session.await)
      expect(Exit.isFailure(exit) && Cause.squash(exit.cause)).toBe(fault)
    })
  )
})
