#!/usr/bin/env bash
# A span that fails reaches the collector with `span.label` "⚠︎ Interrupted" and `status.interrupted` true; one that was
# interrupted has neither. `OtlpTracer` writes them in the branch of failures. Go by the status and `error.type`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
  effect@3.22.4 @effect/platform@0.97.2 @effect/opentelemetry@0.64.1

cat >finding.mjs <<'JS'
import { createServer } from "node:http"
import { Otlp } from "@effect/opentelemetry"
import { FetchHttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"

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
const telemetry = Otlp.layerJson({ baseUrl, resource: { serviceName: "finding" } }).pipe(
  Layer.provide(FetchHttpClient.layer)
)
await Effect.all([
  Effect.exit(Effect.withSpan(Effect.fail("No"), "fails")),
  Effect.exit(Effect.withSpan(Effect.interrupt, "interrupted"))
]).pipe(Effect.provide(telemetry), Effect.runPromise)
server.close()

const said = Object.fromEntries(
  spans.map(({ attributes, name, status }) => [
    name,
    { code: status.code, labels: attributes.map(({ key }) => key).filter((key) => key !== "code.stacktrace") }
  ])
)
console.log("@effect/opentelemetry 0.64.1 exports", JSON.stringify(said))
const asSeen = '{"fails":{"code":2,"labels":["span.label","status.interrupted"]},"interrupted":{"code":1,"labels":[]}}'
if (JSON.stringify(said) !== asSeen) {
  console.error("This has changed.")
  process.exit(1)
}
JS
node finding.mjs
