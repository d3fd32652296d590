#!/usr/bin/env bash
# TwilioRealtimeTransportLayer of @openai/agents-extensions is to ask the model for µ-law, which Twilio's media streams
# speak. It does where the session's configuration has settings of audio, such as a voice. Without a configuration, the
# session asks for PCM at 24,000 Hz in both directions, and the caller hears noise. Give the formats, or a voice.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --legacy-peer-deps --no-audit --no-fund --ignore-scripts \
  @openai/agents@0.20.0 @openai/agents-realtime@0.20.0 @openai/agents-extensions@0.8.5 ws@8.23.0 zod@4.6.7

cat >finding.mjs <<'JS'
import { TwilioRealtimeTransportLayer } from "@openai/agents-extensions"
import { RealtimeAgent, RealtimeSession } from "@openai/agents-realtime"
import { WebSocket, WebSocketServer } from "ws"

const listening = () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  return new Promise((resolve) =>
    server.once("listening", () => resolve([server, `ws://127.0.0.1:${server.address().port}`]))
  )
}

for (const [name, config] of [
  ["no configuration", undefined],
  ["a voice", { audio: { output: { voice: "verse" } } }]
]) {
  // A model that only listens, and a phone line on which nobody speaks.
  const [model, url] = await listening()
  const [line, lineUrl] = await listening()
  const asked = new Promise((resolve) => {
    model.once("connection", (socket) => {
      socket.on("message", (text) => {
        const event = JSON.parse(text)
        if (event.session?.audio !== undefined) resolve(event.session)
      })
      socket.send(JSON.stringify({ type: "session.created", event_id: "e1", session: { type: "realtime", id: "s1" } }))
    })
  })
  const connected = new Promise((resolve) => line.once("connection", resolve))
  const caller = new WebSocket(lineUrl)
  const twilioWebSocket = await connected
  const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket, url, useInsecureApiKey: true })
  const session = new RealtimeSession(new RealtimeAgent({ name: "clerk" }), { transport, model: "gpt-realtime", config })
  void session.connect({ apiKey: "none" }).catch(() => {})
  const { audio } = await asked
  console.log(`${name}: input ${JSON.stringify(audio.input.format)}, output ${JSON.stringify(audio.output.format)}`)
  caller.terminate()
  for (const server of [model, line]) {
    for (const client of server.clients) client.terminate()
    server.close()
  }
}
process.exit(0)
JS
seen=$(node finding.mjs 2>/dev/null)
echo "@openai/agents-extensions 0.8.5 with @openai/agents-realtime 0.20.0"
echo "$seen"
expected='no configuration: input {"type":"audio/pcm","rate":24000}, output {"type":"audio/pcm","rate":24000}
a voice: input {"type":"audio/pcmu"}, output {"type":"audio/pcmu"}'
if [ "$seen" != "$expected" ]; then
  echo "It has changed."
  exit 1
fi
