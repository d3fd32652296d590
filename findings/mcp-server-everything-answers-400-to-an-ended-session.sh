#!/usr/bin/env bash
# Streamable HTTP of the Model Context Protocol: a server that has ended a session MUST answer requests with its id with
# 404, so that the client begins another one. The official server-everything answers 400, which may mean anything, to a
# session that its client has ended with DELETE, as to one that it never had. A client that waits for 404 stays without
# a session.
set -euo pipefail
version=2026.8.31
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "@modelcontextprotocol/server-everything@$version"
port=$(node -e 'const s = require("node:net").createServer().listen(0, () => { console.log(s.address().port); s.close() })')
PORT=$port node node_modules/@modelcontextprotocol/server-everything/dist/index.js streamableHttp >server.log 2>&1 &
server=$!
cat >probe.mjs <<'JS'
const url = `http://127.0.0.1:${process.argv[2]}/mcp`
const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" }
const post = (message, session) =>
  fetch(url, {
    method: "POST",
    headers: { ...headers, ...(session === undefined ? {} : { "mcp-session-id": session }) },
    body: JSON.stringify({ jsonrpc: "2.0", ...message })
  })
const clientInfo = { name: "probe", version: "1" }
const initialize = { id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo } }
let first
// The server takes a moment to listen.
for (let tries = 0; first === undefined && tries < 100; tries += 1) {
  first = await post(initialize).catch(() => new Promise((resolve) => setTimeout(() => resolve(undefined), 100)))
}
const session = first.headers.get("mcp-session-id")
await first.text()
await (await post({ method: "notifications/initialized" }, session)).text()
const ping = (id) => post({ id: 2, method: "ping" }, id).then(async (answer) => (await answer.text(), answer.status))
console.log(`a ping of the session: ${await ping(session)}`)
const ended = await fetch(url, { method: "DELETE", headers: { ...headers, "mcp-session-id": session } })
await ended.text()
console.log(`DELETE: ${ended.status}`)
console.log(`a ping of the ended session: ${await ping(session)}`)
console.log(`a ping of a session that never was: ${await ping("00000000-0000-4000-8000-000000000000")}`)
JS
seen=$(node probe.mjs "$port")
echo "@modelcontextprotocol/server-everything $version"
echo "$seen"
expected='a ping of the session: 200
DELETE: 200
a ping of the ended session: 400
a ping of a session that never was: 400'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
