#!/usr/bin/env bash
# Two fields of `Schema.Unknown` make Effect's JSONSchema say the same `$id` twice, which JSON Schema allows once in a
# document: Ajv 8 refuses to compile it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts effect@3.22.4 ajv@8.20.0

cat >finding.mjs <<'JS'
import { JSONSchema, Schema } from "effect"
import { Ajv2020 } from "ajv/dist/2020.js"

const written = JSONSchema.make(Schema.Struct({ first: Schema.Unknown, second: Schema.Unknown }), {
  target: "jsonSchema2020-12"
})
console.log("effect 3.22.4 writes", JSON.stringify(written.properties))
const ids = Object.values(written.properties).map(({ $id }) => $id)
let refusal = ""
try {
  new Ajv2020({ strict: false }).compile(written)
} catch (error) {
  refusal = error.message
}
console.log("ajv 8.20.0 says", refusal || "nothing")
if (ids[0] !== "/schemas/unknown" || ids[0] !== ids[1] || !refusal.includes("resolves to more than one schema")) {
  console.error("This has changed.")
  process.exit(1)
}
JS
node finding.mjs
