#!/usr/bin/env bash
# package.json of @modelcontextprotocol/sdk names ./dist/esm/index.js (and its types, and ./dist/cjs/index.js) as the
# package's main module, and none of them is in the package: `import "@modelcontextprotocol/sdk"` cannot be resolved.
# Every other path of `exports` that names one file is there.
set -euo pipefail
version=1.32.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "@modelcontextprotocol/sdk@$version"
cat >probe.mjs <<'JS'
import { existsSync, readFileSync } from "node:fs"
const folder = "node_modules/@modelcontextprotocol/sdk"
const { exports } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"))
for (const [path, targets] of Object.entries(exports)) {
  if (path.includes("*")) continue
  for (const target of Object.values(targets)) if (!existsSync(`${folder}/${target}`)) console.log(path, "has no", target)
}
for (const name of ["@modelcontextprotocol/sdk", "@modelcontextprotocol/sdk/client"]) {
  const outcome = await import(name).then(() => "loads", ({ code }) => code)
  console.log(`import "${name}": ${outcome}`)
}
JS
seen=$(node probe.mjs)
echo "@modelcontextprotocol/sdk $version"
echo "$seen"
expected='. has no ./dist/esm/index.d.ts
. has no ./dist/esm/index.js
. has no ./dist/cjs/index.js
import "@modelcontextprotocol/sdk": ERR_MODULE_NOT_FOUND
import "@modelcontextprotocol/sdk/client": loads'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
