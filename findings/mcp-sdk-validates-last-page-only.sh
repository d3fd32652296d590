#!/usr/bin/env bash
# The client of @modelcontextprotocol/sdk checks a tool's structured result against its outputSchema, but only for the
# tools of the last page of tools/list that was read: each page replaces what it knew of the pages before. A server with
# two pages has its first tool unchecked once the second page was read; the same tool on the last page is checked.
set -euo pipefail
version=1.32.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "@modelcontextprotocol/sdk@$version"
cat >probe.mjs <<'JS'
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
const toolOf = (name) => ({
  name,
  inputSchema: { type: "object" },
  outputSchema: { type: "object", properties: { total: { type: "number" } }, required: ["total"] }
})
const server = new Server({ name: "probe", version: "1" }, { capabilities: { tools: {} } })
server.setRequestHandler(ListToolsRequestSchema, ({ params }) =>
  params?.cursor === "2" ? { tools: [toolOf("second")] } : { tools: [toolOf("first")], nextCursor: "2" }
)
// Neither result fits its schema.
server.setRequestHandler(CallToolRequestSchema, () => ({
  content: [{ type: "text", text: "ten" }],
  structuredContent: { total: "ten" }
}))
const [here, there] = InMemoryTransport.createLinkedPair()
await server.connect(there)
const client = new Client({ name: "probe", version: "1" })
await client.connect(here)
const call = (name) => client.callTool({ name, arguments: {} }).then(() => "accepted", ({ code }) => `refused (${code})`)
const { nextCursor } = await client.listTools()
console.log(`page 1 read: first ${await call("first")}`)
await client.listTools({ cursor: nextCursor })
console.log(`page 2 read: first ${await call("first")}, second ${await call("second")}`)
await client.close()
JS
seen=$(node probe.mjs)
echo "@modelcontextprotocol/sdk $version"
echo "$seen"
expected='page 1 read: first refused (-32602)
page 2 read: first accepted, second refused (-32602)'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
