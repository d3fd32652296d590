import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { open } from "./harness.js"

const { call, say } = ScriptedModel

describe("session.openCalls", () => {
  it.scoped("has each call from its arrival to its result, and says which of them wait for a decision", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const slow = Tool.make("slow", { description: "", handler: () => Deferred.await(gate) })
      const pay = Tool.make("pay", { description: "", approval: true, handler: () => Effect.succeed("Paid.") })
      const agent = Agent.make("Desk", { instructions: "", tools: [slow, pay] })
      const h = yield* open(agent, [
        [call("slow", {}, { callId: "one" }), call("pay", {}, { callId: "two" })],
        [say("Done.")]
      ])
      const seen: Array<ReadonlyArray<string>> = []
      const reading = yield* h.session.openCalls.changes.pipe(
        Stream.runForEach((calls) =>
          Effect.sync(() => seen.push(calls.map(({ call, state }) => `${call.callId} ${state}`)))
        ),
        Effect.fork
      )
      expect(yield* h.session.openCalls).toEqual([])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* h.first("ToolStarted")
      expect((yield* h.session.openCalls).map(({ call, state }) => [call.tool, state])).toEqual([
        ["slow", "Running"],
        ["pay", "AwaitingApproval"]
      ])
      yield* h.session.approve("two")
      yield* h.first("ToolSucceeded")
      expect((yield* h.session.openCalls).map(({ call }) => call.callId)).toEqual(["one"])
      yield* Deferred.succeed(gate, "Late.")
      yield* h.nth("ToolSucceeded", 2)
      yield* h.first("ResponseDone")
      expect(yield* h.session.openCalls).toEqual([])
      yield* h.session.close
      yield* reading.await
      expect(seen.at(-1)).toEqual([])
      expect(seen).toContainEqual(["one Running", "two AwaitingApproval"])
    })
  )
})
