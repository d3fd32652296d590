#!/usr/bin/env bash
# The client of @modelcontextprotocol/sdk drops the last progress of a call where the server writes it and the result
# in one piece: the notification waits for a microtask, and the result, which is handled at once, forgets the token first.
# The client calls `onerror` ("unknown token") and not `onprogress`. In two pieces, the progress arrives.
set -euo pipefail
version=1.32.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "@modelcontextprotocol/sdk@$version"
# A server over stdio, by hand, so that it is known what is written in which piece.
cat >server.mjs <<'JS'
import { createInterface } from "node:readline"
const inOnePiece = process.argv[2] === "one"
const line = (message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`
createInterface({ input: process.stdin }).on("line", (text) => {
  const { id, method, params } = JSON.parse(text)
  if (method === "initialize") {
    const { protocolVersion } = params
    const serverInfo = { name: "probe", version: "1" }
    process.stdout.write(line({ id, result: { protocolVersion, capabilities: { tools: {} }, serverInfo } }))
  }
  if (method !== "tools/call") return
  const { progressToken } = params._meta
  const progress = line({ method: "notifications/progress", params: { progressToken, progress: 1, total: 1 } })
  const result = line({ id, result: { content: [{ type: "text", text: "done" }] } })
  if (inOnePiece) process.stdout.write(progress + result)
  else process.stdout.write(progress, () => setTimeout(() => process.stdout.write(result), 200))
})
JS
cat >probe.mjs <<'JS'
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
for (const pieces of ["two", "one"]) {
  const client = new Client({ name: "probe", version: "1" })
  const errors = []
  client.onerror = ({ message }) => errors.push(message.split(":")[0])
  await client.connect(new StdioClientTransport({ command: process.execPath, args: ["server.mjs", pieces] }))
  let reports = 0
  const { content } = await client.callTool({ name: "any", arguments: {} }, undefined, { onprogress: () => { reports += 1 } })
  // What is late has time to come.
  await new Promise((resolve) => setTimeout(resolve, 200))
  console.log(`in ${pieces}: ${content[0].text}, ${reports} reports of progress, errors: ${errors.join("; ") || "none"}`)
  await client.close()
}
JS
seen=$(node probe.mjs)
echo "@modelcontextprotocol/sdk $version"
echo "$seen"
expected='in two: done, 1 reports of progress, errors: none
in one: done, 0 reports of progress, errors: Received a progress notification for an unknown token'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
