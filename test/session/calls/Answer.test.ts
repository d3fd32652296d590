import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as Handoff from "../../../src/Handoff.js"
import { call, say } from "../../../src/ScriptedModel.js"
import * as Tool from "../../../src/Tool.js"
import * as ToolError from "../../../src/ToolError.js"
import { errorText, open, outputFrame } from "../harness.js"

const wordless = {
  describe: (): string => {
    throw new Error("I have no words")
  }
}
const then = [say("All right.")]

describe("A describing function that throws", () => {
  it.scoped("leaves the model the library's words on what happened", () =>
    Effect.gen(function* () {
      const slow = Tool.make("slow", { description: "Slow", timeout: "2 seconds", handler: () => Effect.never })
      const strict = Tool.make("strict", {
        description: "Strict",
        parameters: { count: Schema.Int },
        handler: () => Effect.void
      })
      const calls = [
        call("slow", {}, { callId: "c1" }),
        call("strict", { count: "many" }, { callId: "c2" }),
        call("absent", {}, { callId: "c3" })
      ]
      const agent = Agent.make("Desk", { instructions: "Desk.", tools: [slow, strict] })
      const h = yield* open(agent, [calls, then], wordless)
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolFailed", 2)
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ToolFailed", 3)
      const failures = h.all("ToolFailed")
      const ended = failures.map(({ call, error }) => [call.callId, error._tag]).sort()
      expect(ended).toEqual([
        ["c1", "ToolTimedOut"],
        ["c2", "InvalidArguments"],
        ["c3", "ToolNotFound"]
      ])
      for (const { error, output } of failures) expect(output).toBe(ToolError.describe(error))
      const thrown = h.all("FormatterFailed").map(({ call }) => call.callId)
      expect(thrown.sort()).toEqual(["c1", "c2", "c3"])
    })
  )

  it.scoped("does not tell the model what a handler or a callback failed with", () =>
    Effect.gen(function* () {
      const handler = () => Effect.fail(new Error("row 7 of the ledger"))
      const billing = Handoff.to(Agent.make("Billing", { instructions: "Billing." }), { onHandoff: handler })
      const book = Tool.make("book", { description: "Books", handler })
      const agent = Agent.make("Desk", { instructions: "Desk.", tools: [book], handoffs: [billing] })
      const calls = [call("book", {}, { callId: "c1" }), call("transfer_to_Billing", {}, { callId: "c2" })]
      const h = yield* open(agent, [calls, then], wordless)
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolFailed", 2)
      const notHanded = "The conversation was not handed to Billing."
      expect(yield* h.outputs).toEqual([
        outputFrame("c1", errorText("ToolFailure", "book failed.")),
        outputFrame("c2", errorText("HandoffFailed", notHanded, { target: "Billing" }))
      ])
      expect(h.all("ToolFailed")).toMatchObject([
        { error: { _tag: "ToolFailure" } },
        { error: { _tag: "HandoffFailed", step: "callback" } }
      ])
    })
  )
})
