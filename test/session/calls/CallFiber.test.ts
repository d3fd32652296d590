import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import { call, say } from "../../../src/ScriptedModel.js"
import * as Tool from "../../../src/Tool.js"
import { open } from "../harness.js"

const then = [say("All right.")]
const agentOf = <const Tools extends ReadonlyArray<Tool.Tool>>(...tools: Tools) =>
  Agent.make("Desk", { instructions: "", tools })

describe("§1 What a tool knows of its call", () => {
  it.scoped("is its id, name, agent, session, response and arguments", () =>
    Effect.gen(function* () {
      const seen: Array<Tool.ToolCall> = []
      const tool = Tool.make("tool", {
        description: "",
        parameters: { n: Schema.Int },
        handler: (_, call) => Effect.sync(() => seen.push(call))
      })
      const h = yield* open(agentOf(tool), [[call("tool", '{ "n": 1 }', { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(seen).toMatchObject([
        {
          callId: "c1",
          tool: "tool",
          agent: "Desk",
          sessionId: h.session.id,
          responseId: h.all("ResponseStarted")[0]?.responseId,
          arguments: '{ "n": 1 }'
        }
      ])
      expect(h.session.id).not.toBe("")
    })
  )

  it.scoped("is told by Effect itself that it must stop: a promise's signal is aborted", () =>
    Effect.gen(function* () {
      let signal: AbortSignal | undefined
      const tool = Tool.make("tool", {
        description: "",
        timeout: "1 second",
        handler: () =>
          Effect.promise((given) => {
            signal = given
            return new Promise<never>(() => undefined)
          })
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      expect(signal?.aborted).toBe(false)
      yield* TestClock.adjust("1 second")
      yield* h.first("ToolFailed")
      expect(signal?.aborted).toBe(true)
    })
  )

  it.scoped("lets it publish progress while it runs, with data or without", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "",
        handler: (_, call) =>
          Effect.all([call.progress("begun"), Effect.sleep("2 seconds"), call.progress("half", { percent: 50 })])
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      const first = yield* h.first("ToolProgress")
      expect(first).toMatchObject({ call: { callId: "c1" }, message: "begun" })
      expect("data" in first).toBe(false)
      expect(h.all("ToolSucceeded")).toEqual([])
      yield* TestClock.adjust("2 seconds")
      expect(yield* h.nth("ToolProgress", 2)).toMatchObject({ message: "half", data: { percent: 50 } })
    })
  )
})

describe("A handler", () => {
  it.scoped("runs only after its start has been published", () =>
    Effect.gen(function* () {
      const order: Array<string> = []
      const tool = Tool.make("look", { description: "Looks.", handler: () => Effect.sync(() => order.push("handler")) })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [tool] })
      const h = yield* open(agent, [[call("look", {}), call("look", {})], [say("Done.")]], {
        onEvent: ({ _tag }) => {
          if (_tag === "ToolStarted") order.push(_tag)
        }
      })
      yield* h.session.sendText("Look twice.")
      yield* h.nth("ResponseDone", 2)
      expect(order).toEqual(["ToolStarted", "handler", "ToolStarted", "handler"])
    })
  )
})
