/**
 * Traces, metrics and logs of a conversation in which one call fails and one dies, exported to a collector of
 * OpenTelemetry: what operators see, and that nobody's words are in it.
 */
import { Otlp } from "@effect/opentelemetry"
import { FetchHttpClient } from "@effect/platform"
import { Console, Effect, Layer, Logger, Schema, Stream } from "effect"
import { Agent, ScriptedModel, Session, Tool } from "effect-realtime"
import * as Collector from "./shared/collector.js"
import "./shared/pipe.js"

class OrderNotFound extends Schema.TaggedError<OrderNotFound>()("OrderNotFound", { order: Schema.String }) {}

const findOrder = Tool.make("find_order", {
  description: "Finds an order by its number",
  parameters: { order: Schema.String },
  failure: OrderNotFound,
  handler: ({ order }) => new OrderNotFound({ order })
})

const refund = Tool.make("refund", {
  description: "Pays an order back",
  parameters: { order: Schema.String },
  // A span of the handler's own is below that of the call. Effect writes into it what fails within, words and all.
  handler: ({ order }) =>
    Effect.withSpan(Effect.succeed("expired"), "look_up_card").pipe(
      Effect.flatMap((state) => Effect.die(new Error(`The card of order ${order} is ${state}.`)))
    )
})

const agent = Agent.make("Desk", { instructions: "Help with orders.", tools: [findOrder, refund] })

const { call, say } = ScriptedModel
const script = [
  [call("find_order", { order: "A-17" }), call("refund", { order: "A-18" })],
  [say("Neither of them worked. Shall I ask somebody?")]
]

const conversation = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent, { model: "gpt-realtime" }).pipe(Effect.provide(model.layer))
  yield* session.sendText("Where is A-17? And I want my money back for A-18.")
  yield* session.events.pipe(
    Stream.filter((event) => event._tag === "ResponseDone"),
    Stream.take(2),
    Stream.runDrain
  )
}).pipe(Effect.scoped)

/** The address of your own collector, such as `http://localhost:4318`. */
const telemetry = (baseUrl: string) =>
  Otlp.layerJson({
    baseUrl,
    resource: { serviceName: "order-desk" },
    // Here only the collector gets the log. Without this line, the console gets it too.
    replaceLogger: Logger.defaultLogger
  }).pipe(Layer.provide(FetchHttpClient.layer))

const shown = ({ attributes, name, status }: Collector.Span): string => {
  const { "error.type": error, "effect_realtime.failure.tag": tag } = Collector.attributesOf(attributes)
  return status.code === 2 ? `${name}  failed: ${error ?? status.message}${tag === undefined ? "" : ` (${tag})`}` : name
}

const tree = (spans: ReadonlyArray<Collector.Span>, parent?: string, depth = 0): ReadonlyArray<string> =>
  spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .sort((one, other) => Number(BigInt(one.startTimeUnixNano) - BigInt(other.startTimeUnixNano)))
    .flatMap((span) => [`span    ${"  ".repeat(depth)}${shown(span)}`, ...tree(spans, span.spanId, depth + 1)])

const numbers = ({ gauge, histogram, name, sum, unit }: Collector.Metric): ReadonlyArray<string> => {
  const line = (attributes: Collector.Attributes, value: string) => {
    const { unit: _, ...own } = Collector.attributesOf(attributes)
    const words = Object.values(own).join(", ")
    return `metric  ${name}${words === "" ? "" : ` (${words})`}: ${value}`
  }
  return [
    ...[...(sum?.dataPoints ?? []), ...(gauge?.dataPoints ?? [])].map(({ asDouble, asInt, attributes }) =>
      line(attributes, `${asDouble ?? asInt} ${unit}`)
    ),
    ...(histogram?.dataPoints ?? []).map(({ attributes, count, sum }) =>
      line(attributes, `${count} times, ${sum.toFixed(3)} ${unit} in all`)
    )
  ]
}

const program = Effect.gen(function* () {
  const collector = yield* Collector.make
  // What is left is exported when the layer's scope closes.
  yield* Effect.provide(conversation, telemetry(collector.url))
  for (const line of tree(collector.spans())) yield* Console.log(line)
  for (const { body, severityText, spanId } of collector.logs()) {
    const span = collector.spans().find((span) => span.spanId === spanId)
    yield* Console.log(`log     ${severityText} in ${span?.name}: ${body.stringValue}`)
  }
  // Effect has metrics of its own, of fibers.
  const metrics = collector.metrics().filter(({ name }) => !name.startsWith("effect_fiber"))
  for (const line of metrics.flatMap(numbers).sort()) yield* Console.log(line)
})

await program.pipe(Effect.scoped, Effect.runPromise)
