import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import type * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"

const { call, say } = ScriptedModel

const lookUp = Tool.make("look_up", { description: "", handler: () => Effect.succeed("It is open.") })

/** What each request for a response said of calls. */
const choicesOf = (events: ReadonlyArray<ClientEvent>) =>
  events.flatMap((event) => (event.type === "response.create" ? [event.response?.tool_choice] : []))

const spoken = <E>(h: Harness<E>) => h.all("TextCompleted").map(({ text }) => text)

const forced = (
  settings: Agent.Settings,
  turns: ReadonlyArray<ScriptedModel.Turn>,
  options: Session.Options = {},
  tools: readonly [typeof lookUp] = [lookUp]
) =>
  open(
    Agent.make("Desk", { instructions: "", tools, settings: { output_modalities: ["text"], ...settings } }),
    turns,
    options
  )

describe("a forced tool_choice", () => {
  for (const tool_choice of ["required", { type: "function", name: "look_up" }] as const) {
    const name = typeof tool_choice === "string" ? tool_choice : "one function"
    it.scoped(`calls once in a turn, and speaks then (${name})`, () =>
      Effect.gen(function* () {
        const h = yield* forced({ tool_choice }, [
          [call("look_up")],
          [say("It is open.")],
          [call("look_up")],
          [say("Still.")]
        ])
        yield* h.session.sendText("Are you open?")
        yield* h.nth("ResponseDone", 2)
        expect(spoken(h)).toEqual(["It is open."])
        yield* h.session.sendText("And now?")
        yield* h.nth("ResponseDone", 4)
        expect(spoken(h)).toEqual(["It is open.", "Still."])
        expect(h.all("ToolSucceeded")).toHaveLength(2)
        expect(choicesOf(yield* h.model.sent)).toEqual([undefined, "auto", undefined, "auto"])
      })
    )
  }

  it.scoped("holds at the beginning of a turn that the server answers by itself", () =>
    Effect.gen(function* () {
      const h = yield* forced({ tool_choice: "required" }, [[say("Let me see.")], [say("It is open.")]])
      const connection = yield* h.model.connection
      yield* connection.userSays("Are you open?")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolSucceeded")).toHaveLength(1)
      expect(choicesOf(yield* h.model.sent)).toEqual(["auto"])
    })
  )

  it.scoped(
    "holds for each reply of the turn where the application says so, until the breaker trips: then the model speaks",
    () =>
      Effect.gen(function* () {
        const h = yield* forced(
          { tool_choice: "required" },
          Array.from({ length: 6 }, () => [say("Well.")]),
          {
            forcedToolChoice: "each",
            maxCallsPerTurn: 3
          }
        )
        yield* h.session.sendText("Are you open?")
        yield* h.nth("ResponseDone", 5)
        expect(h.all("ToolSucceeded")).toHaveLength(3)
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolOverloaded", per: "turn" } }])
        expect(choicesOf(yield* h.model.sent)).toEqual([undefined, undefined, undefined, undefined, "none"])
      })
  )
})

describe("the runaway breaker", () => {
  const again: ScriptedModel.Turn = [call("look_up")]

  it.scoped("lets the model say something before the turn ends", () =>
    Effect.gen(function* () {
      const h = yield* forced({}, [again, again, again, [say("I could not find it.")]], { maxCallsPerTurn: 2 })
      yield* h.session.sendText("Where is it?")
      yield* h.nth("ResponseDone", 4)
      expect(spoken(h)).toEqual(["I could not find it."])
      expect(choicesOf(yield* h.model.sent)).toEqual([undefined, undefined, undefined, "none"])
    })
  )

  it.scoped("also where the tool's own failures ask for no reply", () =>
    Effect.gen(function* () {
      const quiet = Tool.make("look_up", { description: "", onFailure: "silent", handler: () => Effect.succeed("?") })
      const h = yield* forced({}, [again, again, [say("I could not find it.")]], { maxCallsPerTurn: 1 }, [quiet])
      yield* h.session.sendText("Where is it?")
      yield* h.nth("ResponseDone", 3)
      expect(spoken(h)).toEqual(["I could not find it."])
    })
  )

  it.scoped("asks once: a server that calls on, though it may not, gets no further reply", () =>
    Effect.gen(function* () {
      const h = yield* forced({}, [again, again], { maxCallsPerTurn: 1 })
      yield* h.session.sendText("Where is it?")
      yield* h.nth("ResponseDone", 3)
      const connection = yield* h.model.connection
      const item = {
        type: "function_call",
        id: "fc_9",
        call_id: "c_9",
        name: "look_up",
        arguments: "{}",
        status: "completed"
      } as const
      yield* connection.push({ type: "response.created", response: { id: "resp_9", status: "in_progress" } })
      yield* connection.push({ type: "response.output_item.done", response_id: "resp_9", output_index: 0, item })
      yield* connection.push({ type: "response.done", response: { id: "resp_9", status: "completed", output: [item] } })
      yield* h.nth("ToolFailed", 2)
      yield* h.nth("ResponseDone", 4)
      expect(yield* h.requests).toBe(3)
    })
  )
})
