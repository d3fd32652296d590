import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import { ConnectFailed, RealtimeModel } from "../../src/RealtimeModel.js"
import { call, say } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { open } from "./harness.js"
import { measured } from "./measured.js"
import { currentName, recorder } from "./traced.js"

const { Faults } = EmbeddedRealtime

const secret = "postgres-password-hunter2"

class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {
  override get message() {
    return `${secret} in ${this.city}`
  }
}

const dies = Tool.make("dies", {
  description: "",
  handler: () => Effect.withSpan(Effect.void, "inner").pipe(Effect.zipRight(Effect.die(new Error(secret))))
})
const fails = Tool.make("fails", {
  description: "",
  failure: CityNotFound,
  handler: () => new CityNotFound({ city: secret })
})
const works = Tool.make("works", { description: "", handler: () => Effect.succeed(secret) })

const desk = Agent.make("Desk", { instructions: "", tools: [dies, fails, works] })

const failure = (tag: string) => Cause.fail(tag)

describe("The spans of a session", () => {
  it.scoped(
    "are a tree: the handler's own spans in the call, calls in their response, responses in the session",
    () => {
      const traced = recorder()
      return Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const h = yield* open(desk, [[call("dies", {}, { callId: "c1" })], [say("Sorry.")]])
            yield* h.session.sendText("Go.")
            yield* h.nth("ResponseDone", 2)
          })
        )
        const model = "chat gpt-realtime"
        expect(traced.tree()).toEqual([
          ["invoke_agent Desk", undefined],
          [model, "invoke_agent Desk"],
          ["execute_tool dies", model],
          ["inner", "execute_tool dies"],
          [model, "invoke_agent Desk"]
        ])
        expect(traced.named(model).map(({ kind }) => kind)).toEqual(["client", "client"])
        expect(traced.endsOf("invoke_agent Desk")).toEqual(["ok"])
        expect(traced.endsOf(model)).toEqual(["ok", "ok"])
      }).pipe(Effect.provide(traced.layer))
    }
  )

  it.scoped("end in failure with the call, by the tag of its error and without its words", () => {
    const traced = recorder()
    return Effect.gen(function* () {
      const h = yield* open(desk, [
        [call("dies", {}, { callId: "c1" }), call("fails", {}, { callId: "c2" })],
        [call("works", {}, { callId: "c3" }), call("made_up", {}, { callId: "c4" })],
        [say("Done.")]
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 3)
      const incident = h.all("ToolFailed").flatMap(({ error }) => (error._tag === "ToolDefect" ? error.incidentId : []))
      const ofCall = (tool: string, callId: string) => ({
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": callId,
        "gen_ai.agent.name": "Desk",
        "gen_ai.conversation.id": h.session.id
      })
      expect(traced.attributesOf("execute_tool dies")).toEqual([
        { ...ofCall("dies", "c1"), "error.type": "ToolDefect", "effect_realtime.incident.id": incident[0] }
      ])
      expect(traced.attributesOf("execute_tool fails")).toEqual([
        { ...ofCall("fails", "c2"), "error.type": "ToolFailure", "effect_realtime.failure.tag": "CityNotFound" }
      ])
      expect(traced.attributesOf("execute_tool works")).toEqual([ofCall("works", "c3")])
      expect(traced.attributesOf("execute_tool"), "the model's own word is in no name").toEqual([
        { ...ofCall("made_up", "c4"), "error.type": "ToolNotFound" }
      ])
      expect(traced.endsOf("execute_tool dies")).toEqual([failure("ToolDefect")])
      expect(traced.endsOf("execute_tool fails")).toEqual([failure("ToolFailure")])
      expect(traced.endsOf("execute_tool works")).toEqual(["ok"])
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("say whose response it is, what it cost, and when its first output arrived", () => {
    const traced = recorder()
    return Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day.")]], { model: "gpt-realtime-mini" }, { pace: "10 millis" })
      yield* h.session.sendText("Hello.")
      const done = yield* Effect.fork(h.first("ResponseDone"))
      yield* TestClock.adjust("5 seconds")
      const { responseId, usage } = yield* Fiber.join(done)
      const [attributes] = traced.attributesOf("chat gpt-realtime-mini")
      expect(attributes).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime-mini",
        "gen_ai.conversation.id": h.session.id,
        "gen_ai.agent.name": "Desk",
        "gen_ai.response.id": responseId,
        "gen_ai.response.finish_reasons": ["stop"],
        "effect_realtime.response.status": "completed",
        "gen_ai.output.type": "text",
        "gen_ai.usage.input_tokens": usage?.input_tokens,
        "gen_ai.usage.output_tokens": usage?.output_tokens
      })
      const first = Number(attributes?.["gen_ai.response.time_to_first_chunk"])
      expect(first).toBeGreaterThan(0)
      expect(first).toBeLessThan(5)
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("name the provider of the connection that the response came on", () => {
    const traced = recorder()
    return Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day.")]], { model: "grok" }, {}, { provider: "x_ai" })
      yield* h.session.sendText("Hello.")
      yield* h.first("ResponseDone")
      expect(traced.attributesOf("chat grok")).toMatchObject([{ "gen_ai.provider.name": "x_ai" }])
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("fail with a response that fails, and not with one that the user interrupts", () => {
    const traced = recorder()
    return Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("A long story, which nobody wants to hear to its end.")], [say("Never said.")]],
        {},
        { pace: "1 second", faults: [Faults.failResponse("content_policy", { nth: 2 })] }
      )
      yield* h.session.sendText("Hello.")
      yield* h.first("ResponseStarted")
      yield* h.session.interrupt
      yield* TestClock.adjust("5 seconds")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("Go on.")
      const done = yield* Effect.fork(h.nth("ResponseDone", 2))
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(done)
      expect(traced.endsOf("chat gpt-realtime")).toEqual(["ok", failure("content_policy")])
      expect(traced.attributesOf("chat gpt-realtime").map((attributes) => attributes["error.type"])).toEqual([
        undefined,
        "content_policy"
      ])
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("are there for guardrails and handoffs, below what these are a part of", () => {
    const traced = recorder()
    const billing = Agent.make("Billing", { instructions: "" })
    const front = Agent.make("Front", {
      instructions: "",
      tools: [works],
      handoffs: [billing],
      guardrails: [
        Guardrail.output("polite", { check: () => Effect.die(secret) }),
        Guardrail.toolInput("limits", { check: () => Effect.succeed(Guardrail.trip("Too much.")) })
      ]
    })
    return Effect.gen(function* () {
      const h = yield* open(front, [[call("works")], [say("Sorry.")], [call("transfer_to_Billing")], [say("Billing.")]])
      yield* h.session.sendText("Go.")
      yield* h.first("GuardrailFailed")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.sendText("The bill, please.")
      yield* h.first("HandedOff")
      yield* h.nth("ResponseDone", 4)
      yield* h.session.updateAgent("Front")
      const tree = traced.tree()
      expect(tree).toContainEqual(["guardrail limits", "execute_tool works"])
      expect(tree).toContainEqual(["guardrail polite", "chat gpt-realtime"])
      expect(tree).toContainEqual(["handoff Billing", "execute_tool transfer_to_Billing"])
      expect(tree).toContainEqual(["handoff Front", "invoke_agent Front"])
      expect(traced.attributesOf("guardrail limits")).toEqual([
        {
          "effect_realtime.guardrail.name": "limits",
          "effect_realtime.guardrail.subject": "ToolInput",
          "effect_realtime.guardrail.tripped": true
        }
      ])
      expect(traced.endsOf("guardrail limits")).toEqual(["ok"])
      expect(traced.endsOf("guardrail polite")).toEqual([failure("CheckFailed")])
      expect(traced.endsOf("execute_tool works")).toEqual([failure("ToolBlocked")])
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("record the time without a connection", () => {
    const traced = recorder()
    return Effect.gen(function* () {
      const h = yield* open(desk, [], { reconnect: Schedule.recurs(1) })
      yield* h.model.drop(1011)
      yield* h.first("Reconnected")
      expect(traced.tree()).toContainEqual(["reconnect", "invoke_agent Desk"])
      expect(traced.attributesOf("reconnect")).toEqual([
        { "effect_realtime.close.code": 1011, "effect_realtime.reconnect.attempts": 1 }
      ])
      expect(traced.endsOf("reconnect")).toEqual(["ok"])
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("fail with a session that does not begin", () => {
    const traced = recorder()
    const refused = new ConnectFailed({ url: "wss://example.com", message: "No route." })
    return Effect.gen(function* () {
      const exit = yield* Session.make(desk).pipe(
        Effect.provideService(RealtimeModel, { connect: () => Effect.fail(refused) }),
        Effect.exit
      )
      expect(Exit.isFailure(exit)).toBe(true)
      expect(traced.endsOf("invoke_agent Desk")).toEqual([failure("ConnectFailed")])
    }).pipe(Effect.provide(traced.layer))
  })

  it.scoped("fail with a session that a tool ends", () => {
    const traced = recorder()
    const fatal = Tool.make("fatal", { description: "", onFailure: "terminate", handler: () => Effect.die(secret) })
    return Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [fatal] }), [[call("fatal")]])
      yield* h.session.sendText("Go.")
      yield* Effect.exit(h.session.await)
      expect(traced.endsOf("invoke_agent Desk")).toEqual([failure("ToolDefect")])
    }).pipe(Effect.provide(traced.layer))
  })

  const handler = () => Effect.map(currentName, (name) => name ?? "no span")
  const seeing = Agent.make("Desk", {
    instructions: "",
    tools: [Tool.make("sees", { description: "", handler })]
  })
  const seen = Effect.gen(function* () {
    const h = yield* open(seeing, [[call("sees")], [say("Done.")]])
    yield* h.session.sendText("Go.")
    return (yield* h.first("ToolSucceeded")).output
  })

  it.scoped("do not exist without a tracer", () =>
    Effect.gen(function* () {
      const traced = recorder()
      expect(yield* seen).toBe("no span")
      expect(yield* Effect.provide(seen, traced.layer)).toBe("execute_tool sees")
      expect(yield* seen.pipe(Effect.withTracerEnabled(false), Effect.provide(traced.layer))).toBe("no span")
      expect(traced.named("invoke_agent Desk")).toHaveLength(1)
    })
  )
})

describe("The metrics of a session", () => {
  it.scoped("count calls by outcome, responses by status, tokens by kind, and what is open", () => {
    const label = "counts"
    return Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const go = yield* Deferred.make<void>()
      const waits = Tool.make("waits", {
        description: "",
        handler: () => Effect.zipRight(Deferred.succeed(began, undefined), Deferred.await(go))
      })
      const agent = Agent.make("Desk", { instructions: "", tools: [dies, fails, works, waits] })
      const h = yield* open(
        agent,
        [[call("dies"), call("fails"), call("works"), call("made_up")], [call("works"), call("waits")], [say("Done.")]],
        { model: "gpt-realtime" }
      )
      yield* h.session.sendText("Go.")
      yield* Deferred.await(began)
      yield* h.nth("ToolSucceeded", 2)
      expect(measured("test", label)).toMatchObject({
        "effect_realtime.calls.open": 1,
        "effect_realtime.sessions.open": 1
      })
      yield* Deferred.succeed(go, undefined)
      yield* h.nth("ResponseDone", 3)
      const usage = yield* h.session.usage
      yield* h.session.close
      const ofModel = "gen_ai.operation.name=chat gen_ai.provider.name=openai gen_ai.request.model=gpt-realtime"
      const counts = measured("test", label)
      expect(counts).toMatchObject({
        "effect_realtime.calls effect_realtime.call.outcome=Succeeded gen_ai.tool.name=works": 2,
        "effect_realtime.calls effect_realtime.call.outcome=Succeeded gen_ai.tool.name=waits": 1,
        "effect_realtime.calls effect_realtime.call.outcome=ToolDefect gen_ai.tool.name=dies": 1,
        "effect_realtime.calls effect_realtime.call.outcome=ToolFailure gen_ai.tool.name=fails": 1,
        "effect_realtime.calls effect_realtime.call.outcome=ToolNotFound": 1,
        "effect_realtime.calls.open": 0,
        "effect_realtime.sessions.open": 0,
        "effect_realtime.responses effect_realtime.response.status=completed": 3,
        "gen_ai.execute_tool.duration gen_ai.tool.name=works": 2,
        "gen_ai.execute_tool.duration error.type=ToolDefect gen_ai.tool.name=dies": 1,
        [`gen_ai.client.inference.duration ${ofModel}`]: 3
      })
      const tokens = (name: string, modality: string): number => {
        const [operation, ...rest] = ofModel.split(" ")
        const labels = [operation, ...rest, `gen_ai.token.modality=${modality}`].sort().join(" ")
        return counts[`gen_ai.client.inference.usage.${name} ${labels}`] ?? 0
      }
      expect(usage.inputTokens).toBeGreaterThan(0)
      expect(tokens("input_tokens", "text") + tokens("input_tokens", "audio")).toBe(usage.inputTokens)
      expect(tokens("output_tokens", "text") + tokens("output_tokens", "audio")).toBe(usage.outputTokens)
    }).pipe(Effect.tagMetrics("test", label))
  })

  it.scoped("measure how long the first sound takes, and count an answer in audio and text once", () => {
    const label = "first chunk"
    return Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day to you.")]], {
        model: "gpt-realtime",
        settings: { output_modalities: ["audio"] }
      })
      yield* h.session.sendText("Hello.")
      yield* h.first("ResponseDone")
      const observed = Object.entries(measured("test", label)).filter(([name]) => name.includes("first_chunk"))
      expect(observed).toEqual([[expect.stringContaining("gen_ai.output.type=speech"), 1]])
    }).pipe(Effect.tagMetrics("test", label))
  })

  it.scoped("count connections that were lost and found again, and those that were not", () => {
    const label = "reconnects"
    return Effect.gen(function* () {
      const h = yield* open(desk, [], { reconnect: Schedule.recurs(1) })
      yield* h.model.drop(1011)
      yield* h.first("Reconnected")
      const none = yield* open(
        desk,
        [],
        { reconnect: Schedule.recurs(1) },
        { faults: [Faults.refuseHandshake(403, "No.", { connection: 2 })] }
      )
      yield* none.model.drop(1011)
      yield* Effect.exit(none.session.await)
      expect(measured("test", label)).toMatchObject({
        "effect_realtime.reconnects effect_realtime.reconnect.outcome=Recovered": 1,
        "effect_realtime.reconnects effect_realtime.reconnect.outcome=GivenUp": 1,
        "effect_realtime.reconnect.duration effect_realtime.reconnect.outcome=Recovered": 1,
        "effect_realtime.sessions.open": 1
      })
    }).pipe(Effect.tagMetrics("test", label))
  })

  it.scoped("count handoffs and guardrails that trip", () => {
    const label = "team"
    const billing = Agent.make("Billing", { instructions: "" })
    const front = Agent.make("Front", {
      instructions: "",
      tools: [works],
      handoffs: [billing],
      guardrails: [Guardrail.toolInput("limits", { check: () => Effect.succeed(Guardrail.trip("Too much.")) })]
    })
    return Effect.gen(function* () {
      const h = yield* open(front, [[call("works")], [call("transfer_to_Billing")], [say("Billing.")]])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 3)
      expect(measured("test", label)).toMatchObject({
        "effect_realtime.handoffs effect_realtime.handoff.source=Front effect_realtime.handoff.target=Billing": 1,
        "effect_realtime.guardrail.trips effect_realtime.guardrail.name=limits effect_realtime.guardrail.subject=ToolInput": 1
      })
    }).pipe(Effect.tagMetrics("test", label))
  })
})

describe("The log", () => {
  /** Every line at or above the default level, and its annotations. */
  const collected = () => {
    const lines: Array<{ readonly level: string; readonly text: string; readonly annotations: object }> = []
    const logger = Logger.make(({ annotations, cause, logLevel, message }) => {
      const text = `${String(message)}${Cause.isEmpty(cause) ? "" : Cause.pretty(cause, { renderErrorCause: true })}`
      lines.push({ level: logLevel.label, text, annotations: Object.fromEntries(annotations) })
    })
    return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
  }

  it.scoped("has one line for a tool that dies, and none for one that fails as it declares", () => {
    const { layer, lines } = collected()
    return Effect.gen(function* () {
      const h = yield* open(desk, [[call("dies", {}, { callId: "c1" }), call("fails"), call("works")], [say("Sorry.")]])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      const [died] = h
        .all("ToolFailed")
        .flatMap(({ call, error }) => (error._tag === "ToolDefect" ? { call, error } : []))
      expect(lines).toEqual([
        {
          level: "WARN",
          text: `The tool dies died (incident ${died?.error.incidentId}). The cause is in the event ToolFailed, as error.defect.`,
          annotations: {
            incidentId: died?.error.incidentId,
            tool: "dies",
            agent: "Desk",
            callId: "c1",
            responseId: died?.call.responseId,
            sessionId: h.session.id
          }
        }
      ])
      expect(JSON.stringify(lines)).not.toContain(secret)
    }).pipe(Effect.provide(Layer.merge(Logger.add(Logger.none), layer)))
  })

  it.scoped("may break, and the session goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[call("dies")], [say("Sorry.")]])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toHaveLength(1)
    }).pipe(
      Effect.provide(
        Logger.add(
          Logger.make(() => {
            throw new Error(secret)
          })
        )
      )
    )
  )
})
