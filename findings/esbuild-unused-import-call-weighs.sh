#!/usr/bin/env bash
# esbuild leaves out a module that nobody uses, and with it its `import()`. But the module that this would have loaded,
# and all that it imports, stays wrapped to be loaded later: fewer parts of it can be left out, and each part that stays
# weighs more. Here, a function that nobody calls makes a page with a schema of effect larger by several kilobytes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "name": "page", "private": true, "type": "module", "sideEffects": false }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts effect@3.22.4 esbuild@0.28.2

cat >schema.js <<'JS'
import * as Schema from "effect/Schema"
export const city = Schema.Struct({ name: Schema.String })
JS
cat >lazy.js <<'JS'
import * as Schema from "effect/Schema"
export const number = Schema.Number
JS
echo 'export const load = () => import("./lazy.js")' >unused.js
echo 'export * as schema from "./schema.js"' >one.js
printf 'export * as schema from "./schema.js"\nexport * as unused from "./unused.js"\n' >both.js
for barrel in one both; do
  printf 'import { schema } from "./%s.js"\nconsole.log(schema.city)\n' "$barrel" >"page-$barrel.js"
done

cat >finding.mjs <<'JS'
import { build } from "esbuild"

const bundle = async (entry) => {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false
  })
  return outputFiles[0].text
}
const alone = await bundle("page-one.js")
const both = await bundle("page-both.js")
console.log(`esbuild 0.28.2 makes ${alone.length} bytes, and ${both.length} where the barrel has one more, unused name`)
if (both.length < alone.length + 4_000) {
  console.error("This has changed.")
  process.exit(1)
}
JS
node finding.mjs
