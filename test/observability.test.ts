import { Otlp } from "@effect/opentelemetry"
import { FetchHttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Collector from "../examples/shared/collector.js"
import * as Agent from "../src/Agent.js"
import { call, say } from "../src/ScriptedModel.js"
import * as Tool from "../src/Tool.js"
import { open } from "./session/harness.js"

const secret = "postgres-password-hunter2"
const label = "otlp"

class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {}

const agent = Agent.make("Desk", {
  instructions: secret,
  tools: [
    Tool.make("dies", { description: "", handler: () => Effect.die(new Error(secret)) }),
    Tool.make("fails", {
      description: "",
      parameters: { city: Schema.String },
      failure: CityNotFound,
      handler: ({ city }) => new CityNotFound({ city })
    }),
    Tool.make("works", { description: "", handler: () => Effect.succeed(secret) })
  ]
})

const exporting = (baseUrl: string) =>
  Otlp.layerJson({ baseUrl, resource: { serviceName: "test" }, replaceLogger: Logger.defaultLogger }).pipe(
    Layer.provide(FetchHttpClient.layer)
  )

/** What the collector received from a conversation with a call that fails, one that dies, and one that works. */
const conversation = Effect.gen(function* () {
  const collector = yield* Collector.make
  yield* Effect.gen(function* () {
    const h = yield* open(agent, [[call("fails", { city: secret }), call("dies"), call("works")], [say(secret)]], {
      model: "gpt-realtime"
    })
    yield* h.session.sendText(secret)
    yield* h.nth("ResponseDone", 2)
  }).pipe(Effect.scoped, Effect.tagMetrics("test", label), Effect.provide(exporting(collector.url)))
  return collector
})

const internal = 1
const client = 3
const ok = 1
const failed = 2

describe("A collector of OpenTelemetry", () => {
  it.scopedLive("has the tree of spans, in which the calls that failed are errors by their tag", () =>
    Effect.gen(function* () {
      const collector = yield* conversation
      const spans = collector.spans()
      const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name
      const tree = spans.map(({ kind, name, parentSpanId, status }) => ({
        name,
        below: nameOf(parentSpanId),
        kind,
        code: status.code,
        message: status.message
      }))
      const below = "chat gpt-realtime"
      expect(tree).toHaveLength(6)
      expect(tree).toEqual(
        expect.arrayContaining([
          { name: "invoke_agent Desk", below: undefined, kind: internal, code: ok, message: undefined },
          { name: "chat gpt-realtime", below: "invoke_agent Desk", kind: client, code: ok, message: undefined },
          { name: "execute_tool fails", below, kind: internal, code: failed, message: "ToolFailure" },
          { name: "execute_tool dies", below, kind: internal, code: failed, message: "ToolDefect" },
          { name: "execute_tool works", below, kind: internal, code: ok, message: undefined }
        ])
      )
      expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
      for (const { endTimeUnixNano, startTimeUnixNano } of spans) {
        expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano))
      }
      const reply = spans.find(({ name }) => name === "chat gpt-realtime")
      expect(Collector.attributesOf(reply?.attributes ?? [])["gen_ai.response.finish_reasons"], "a list").toEqual([
        { stringValue: "stop" }
      ])
    })
  )

  it.scopedLive("has the metrics, with their units and the numbers of this conversation", () =>
    Effect.gen(function* () {
      const before = pointsOf(yield* conversation)
      const after = pointsOf(yield* conversation)
      // Effect has one registry for the whole process, so only the increase from one more conversation is measured.
      const added = Object.fromEntries(Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)]))
      expect(added).toMatchObject({
        "effect_realtime.calls {call} fails ToolFailure": 1,
        "effect_realtime.calls {call} dies ToolDefect": 1,
        "effect_realtime.calls {call} works Succeeded": 1,
        "effect_realtime.responses {response} completed": 2,
        "gen_ai.execute_tool.duration s dies ToolDefect": 1,
        "gen_ai.execute_tool.duration s works": 1,
        "gen_ai.client.inference.duration s chat openai gpt-realtime": 2,
        "gen_ai.client.inference.time_to_first_chunk s chat openai gpt-realtime text": 1
      })
      expect(after).toMatchObject({
        "effect_realtime.calls.open {call}": 0,
        "effect_realtime.sessions.open {session}": 0
      })
      expect(added["gen_ai.client.inference.usage.input_tokens {token} chat openai gpt-realtime text"]).toBeGreaterThan(
        0
      )
    })
  )

  it.scopedLive("has one log line, in the span of the call that died, and no words of the conversation anywhere", () =>
    Effect.gen(function* () {
      const collector = yield* conversation
      const [line, ...others] = collector.logs().filter(({ severityText }) => severityText === "WARN")
      expect(others).toEqual([])
      expect(line?.body.stringValue).toMatch(/^The tool dies died \(incident inc_\w+\)\./)
      const died = collector.spans().find(({ name }) => name === "execute_tool dies")
      expect(line?.spanId).toBe(died?.spanId)
      const incident = Collector.attributesOf(died?.attributes ?? [])["effect_realtime.incident.id"]
      expect(Collector.attributesOf(line?.attributes ?? [])["incidentId"]).toBe(incident)
      const everything = JSON.stringify([collector.spans(), collector.metrics(), collector.logs()])
      expect(everything).toContain("ToolDefect")
      expect(everything).not.toContain(secret)
    })
  )
})

/** By name, unit and attributes: the number, or how often something was observed. */
const pointsOf = (collector: Collector.Collector): Readonly<Record<string, number>> =>
  Object.fromEntries(
    collector.metrics().flatMap(({ gauge, histogram, name, sum, unit }) =>
      [
        ...[...(sum?.dataPoints ?? []), ...(gauge?.dataPoints ?? [])].map(({ asDouble, asInt, attributes }) => ({
          attributes,
          value: asDouble ?? asInt ?? Number.NaN
        })),
        ...(histogram?.dataPoints ?? []).map(({ attributes, count }) => ({ attributes, value: count }))
      ].flatMap(({ attributes, value }) => {
        const { test, unit: _, ...own } = Collector.attributesOf(attributes)
        return test === label ? [[[name, unit, ...Object.values(own)].join(" "), value] as const] : []
      })
    )
  )
