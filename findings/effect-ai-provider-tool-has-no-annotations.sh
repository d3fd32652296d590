#!/usr/bin/env bash
# A tool of `Tool.providerDefined` of @effect/ai has no `annotations`, although its type says that each tool has them.
# What reads an annotation of every tool of a toolkit, with `Context.get`, throws.
set -euo pipefail
version=0.37.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "@effect/ai@$version" \
  effect@3.22.4 @effect/platform@0.97.2 @effect/rpc@0.76.2 @effect/experimental@0.61.1
cat >probe.mjs <<'JS'
import { Tool } from "@effect/ai"
import { Context, Schema } from "effect"
const own = Tool.make("own", { description: "A tool", parameters: { city: Schema.String } })
const search = Tool.providerDefined({ id: "provider.search", toolkitName: "Search", providerName: "search", args: {} })({})
for (const tool of [own, search]) {
  const read = () => {
    try {
      return String(Context.get(tool.annotations, Tool.Readonly))
    } catch (error) {
      return error.constructor.name
    }
  }
  console.log(`${tool.name}: annotations are ${typeof tool.annotations}, Readonly is ${read()}`)
}
JS
seen=$(node probe.mjs)
echo "@effect/ai $version"
echo "$seen"
expected='own: annotations are object, Readonly is false
Search: annotations are undefined, Readonly is TypeError'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
