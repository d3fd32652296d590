#!/usr/bin/env bash
# An attribute of a span that is an array of strings, such as `gen_ai.response.finish_reasons` of OpenTelemetry's
# conventions for models, reaches the collector as one string of pretty-printed JSON through `NodeSdk` of
# @effect/opentelemetry, and as an array through its `Otlp`. OpenTelemetry's own SDK takes arrays of strings.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
  effect@3.22.4 @effect/platform@0.97.2 @effect/opentelemetry@0.64.1 @opentelemetry/api@1.9.0 \
  @opentelemetry/resources@2.2.0 @opentelemetry/sdk-trace-base@2.2.0 @opentelemetry/sdk-trace-node@2.2.0 \
  @opentelemetry/sdk-trace-web@2.2.0 @opentelemetry/sdk-metrics@2.2.0 @opentelemetry/sdk-logs@0.208.0 \
  @opentelemetry/semantic-conventions@1.38.0

cat >finding.mjs <<'JS'
import { createServer } from "node:http"
import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import * as Otlp from "@effect/opentelemetry/Otlp"
import { FetchHttpClient } from "@effect/platform"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Effect, Layer } from "effect"

const key = "gen_ai.response.finish_reasons"
const program = Effect.withSpan(Effect.void, "chat", { attributes: { [key]: ["stop", "length"] } })

const exporter = new InMemorySpanExporter()
let printed
const sdk = NodeSdk.layer(() => ({
  resource: { serviceName: "finding" },
  spanProcessor: new SimpleSpanProcessor(exporter)
}))
await program.pipe(
  Effect.zipRight(Effect.sync(() => (printed = exporter.getFinishedSpans()[0].attributes[key]))),
  Effect.provide(sdk),
  Effect.runPromise
)
console.log("NodeSdk:", JSON.stringify(printed))

const spans = []
const server = createServer((request, response) => {
  let body = ""
  request.on("data", (chunk) => (body += chunk))
  request.on("end", () => {
    if (request.url === "/v1/traces") spans.push(...JSON.parse(body).resourceSpans[0].scopeSpans[0].spans)
    response.end("{}")
  })
})
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
const baseUrl = `http://127.0.0.1:${server.address().port}`
const otlp = Otlp.layerJson({ baseUrl, resource: { serviceName: "finding" } })
await Effect.runPromise(Effect.provide(program, Layer.provide(otlp, FetchHttpClient.layer)))
server.close()
console.log("Otlp:", JSON.stringify(spans[0].attributes.find((attribute) => attribute.key === key).value))
JS
seen=$(node finding.mjs)
echo "@effect/opentelemetry 0.64.1"
echo "$seen"
expected='NodeSdk: "[\n  \"stop\",\n  \"length\"\n]"
Otlp: {"arrayValue":{"values":[{"stringValue":"stop"},{"stringValue":"length"}]}}'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
