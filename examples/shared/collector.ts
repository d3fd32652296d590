/**
 * A collector of OpenTelemetry on this machine: it listens on a free port, decodes what is exported to it as OTLP over
 * HTTP in JSON, and remembers it. In its place, you have one that stores it.
 */
import { createServer } from "node:http"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Schema } from "effect"

const Value = Schema.Struct({
  stringValue: Schema.optional(Schema.String),
  boolValue: Schema.optional(Schema.Boolean),
  intValue: Schema.optional(Schema.Union(Schema.Number, Schema.NumberFromString)),
  doubleValue: Schema.optional(Schema.Number),
  arrayValue: Schema.optional(Schema.Struct({ values: Schema.Array(Schema.Unknown) }))
})

const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))

const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optional(Schema.String),
  name: Schema.String,
  /** 1: internal, 3: client. */
  kind: Schema.Number,
  startTimeUnixNano: Schema.String,
  endTimeUnixNano: Schema.String,
  attributes: Attributes,
  events: Schema.Array(Schema.Struct({ name: Schema.String, attributes: Attributes })),
  /** 1: OK, 2: error. */
  status: Schema.Struct({ code: Schema.Number, message: Schema.optional(Schema.String) })
})

const NumberPoint = Schema.Struct({
  attributes: Attributes,
  asDouble: Schema.optional(Schema.Number),
  asInt: Schema.optional(Schema.Number)
})

const HistogramPoint = Schema.Struct({ attributes: Attributes, count: Schema.Number, sum: Schema.Number })

const Metric = Schema.Struct({
  name: Schema.String,
  unit: Schema.String,
  sum: Schema.optional(Schema.Struct({ isMonotonic: Schema.Boolean, dataPoints: Schema.Array(NumberPoint) })),
  gauge: Schema.optional(Schema.Struct({ dataPoints: Schema.Array(NumberPoint) })),
  histogram: Schema.optional(Schema.Struct({ dataPoints: Schema.Array(HistogramPoint) }))
})

const LogRecord = Schema.Struct({
  severityText: Schema.String,
  body: Value,
  attributes: Attributes,
  traceId: Schema.optional(Schema.String),
  spanId: Schema.optional(Schema.String)
})

const Traces = Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) }))
})
const Metrics = Schema.Struct({
  resourceMetrics: Schema.Array(
    Schema.Struct({ scopeMetrics: Schema.Array(Schema.Struct({ metrics: Schema.Array(Metric) })) })
  )
})
const Logs = Schema.Struct({
  resourceLogs: Schema.Array(
    Schema.Struct({ scopeLogs: Schema.Array(Schema.Struct({ logRecords: Schema.Array(LogRecord) })) })
  )
})

export type Span = typeof Span.Type
export type Metric = typeof Metric.Type
export type LogRecord = typeof LogRecord.Type
export type Attributes = typeof Attributes.Type

/** Everything received so far. Of the metrics, only the newest: each export has all of them. */
export interface Collector {
  readonly url: string
  readonly spans: () => ReadonlyArray<Span>
  readonly metrics: () => ReadonlyArray<Metric>
  readonly logs: () => ReadonlyArray<LogRecord>
}

export const attributesOf = (attributes: Attributes): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue ?? value.arrayValue?.values
    ])
  )

/** Listens until its scope closes. */
export const make = Effect.gen(function* () {
  const spans: Array<Span> = []
  const logs: Array<LogRecord> = []
  let metrics: ReadonlyArray<Metric> = []
  const keep = <A, I>(schema: Schema.Schema<A, I>, add: (body: A) => void) =>
    Effect.map(HttpServerRequest.schemaBodyJson(schema), (body) => {
      add(body)
      return HttpServerResponse.unsafeJson({})
    })
  const layer = NodeHttpServer.layerServer(createServer, { port: 0, host: "127.0.0.1" })
  const server = Context.get(yield* Layer.build(layer), HttpServer.HttpServer)
  yield* server.serve(
    HttpRouter.empty.pipe(
      HttpRouter.post(
        "/v1/traces",
        keep(Traces, ({ resourceSpans }) => {
          for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans)
        })
      ),
      HttpRouter.post(
        "/v1/metrics",
        keep(Metrics, ({ resourceMetrics }) => {
          metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
        })
      ),
      HttpRouter.post(
        "/v1/logs",
        keep(Logs, ({ resourceLogs }) => {
          for (const { scopeLogs } of resourceLogs) for (const scope of scopeLogs) logs.push(...scope.logRecords)
        })
      ),
      Effect.catchAll((error) => HttpServerResponse.text(String(error), { status: 400 }))
    )
  )
  const { address } = server
  const url = address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : ""
  const collector: Collector = { url, spans: () => spans, metrics: () => metrics, logs: () => logs }
  return collector
})
