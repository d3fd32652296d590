#!/usr/bin/env bash
# Effect's JSONSchema says less, or something else, than the schema that it was made of:
# - the flags of `Schema.pattern` are gone, so "YES" fits the schema and not its JSON Schema;
# - the text of `Schema.startsWith` is put into a pattern as it is, so "$50" does not fit its own JSON Schema;
# - the description of `Schema.Date.annotations({ description })` is replaced by Effect's.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts effect@3.22.4 ajv@8.20.0

cat >finding.mjs <<'JS'
import { JSONSchema, Schema } from "effect"
import { Ajv2020 } from "ajv/dist/2020.js"

let changed = false
const differs = (name, schema, value) => {
  const { $schema, ...written } = JSONSchema.make(schema, { target: "jsonSchema2020-12" })
  const fits = Schema.is(schema)(value)
  const isAccepted = new Ajv2020({ strict: false }).compile(written)(value)
  console.log(`${name}: ${JSON.stringify(value)} fits: ${fits}; its JSON Schema ${JSON.stringify(written)} accepts it: ${isAccepted}`)
  if (!fits || isAccepted) changed = true
}
differs("pattern(/^(yes|no)$/i)", Schema.String.pipe(Schema.pattern(/^(yes|no)$/i)), "YES")
differs('startsWith("$5")', Schema.String.pipe(Schema.startsWith("$5")), "$50")

const date = JSON.stringify(JSONSchema.make(Schema.Struct({ at: Schema.Date.annotations({ description: "When to come" }) })))
console.log('Date described as "When to come":', date)
if (date.includes("When to come") || !date.includes("a string to be decoded into a Date")) changed = true

console.log("effect 3.22.4, ajv 8.20.0")
if (changed) {
  console.error("This has changed.")
  process.exit(1)
}
JS
node finding.mjs
