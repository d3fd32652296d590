import * as Http from "node:http"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { WebSocketServer } from "ws"
import * as Agent from "../../src/Agent.js"
import * as GeminiLive from "../../src/GeminiLive.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import * as XaiRealtime from "../../src/XaiRealtime.js"
import { listen } from "../openai/Loopback.js"
import { recording } from "../session/harness.js"

const apiKey = Redacted.make("a-very-secret-key-0123456789")

/** So deep that recursive code overflows its stack. */
const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`

const reads = Tool.make("reads", { description: "", handler: () => Effect.succeed(deep.slice(0)) })
const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [reads] })
const options = { settings: { output_modalities: ["text"] }, maxOutputLength: 1_000_000 } as const

/** A server over a socket that answers a message with others. */
const serving = (answer: (message: Record<string, unknown>) => ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const http = Http.createServer()
    const sockets = new WebSocketServer({ server: http, perMessageDeflate: false })
    const received: Array<Record<string, unknown>> = []
    sockets.on("connection", (socket) =>
      socket.on("message", (data) => {
        const message: Record<string, unknown> = JSON.parse(String(data))
        received.push(message)
        for (const text of answer(message)) socket.send(text)
      })
    )
    const port = yield* listen(http)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const client of sockets.clients) client.terminate()
      })
    )
    return { url: `ws://127.0.0.1:${port}/`, received }
  })

describe("Frames that nest deeper than anybody reads", () => {
  it.scopedLive("of Gemini end neither the process nor the session: the call has its answer", () =>
    Effect.gen(function* () {
      const calls = (id: string, args: string) =>
        `{"toolCall":{"functionCalls":[{"id":"${id}","name":"reads","args":${args}}]}}`
      const server = yield* serving((message) => {
        if ("setup" in message) return ['{"setupComplete":{}}', `{"strange":${deep}}`]
        const text = JSON.stringify(message)
        if (text.includes('"turnComplete":true')) return [calls("c1", deep)]
        if (text.includes('"c1"')) return [calls("c2", "{}")]
        return text.includes('"c2"')
          ? ['{"serverContent":{"modelTurn":{"parts":[{"text":"Done."}]},"turnComplete":true}}']
          : []
      })
      const session = yield* Session.make(agent, options).pipe(
        Effect.provide(GeminiLive.layer({ apiKey, url: server.url }))
      )
      const h = yield* recording(session)
      yield* session.sendText("Go on.")
      expect((yield* h.first("TextCompleted")).text).toBe("Done.")
      expect(h.all("ToolFailed").map(({ error }) => error._tag)).toEqual(["InvalidArguments"])
      expect(h.all("ToolSucceeded")).toHaveLength(1)
      expect(() => JSON.stringify(h.events)).not.toThrow()
    })
  )

  it.scopedLive("of Grok end neither the process nor the session", () =>
    Effect.gen(function* () {
      const event = (type: string, more = "") => `{"type":"${type}"${more}}`
      const server = yield* serving((message) => {
        if (message["type"] === "session.update")
          return [event("session.updated", `,"session":${deep}`), event("session.updated", ',"session":{}')]
        if (message["type"] !== "response.create") return []
        return [
          event("strange", `,"what":${deep}`),
          event("response.created", ',"response":{"id":"r1","object":"realtime.response","status":"in_progress"}'),
          event("response.function_call_arguments.delta", `,"delta":${deep}`),
          event("response.done", `,"response":{"id":"r1","usage":{},"metadata":${deep}}`),
          event(
            "response.done",
            ',"response":{"id":"r1","object":"realtime.response","status":"completed","output":[]}'
          )
        ]
      })
      const session = yield* Session.make(agent, options).pipe(
        Effect.provide(XaiRealtime.layer({ apiKey, url: server.url }))
      )
      const h = yield* recording(session)
      yield* session.requestResponse()
      yield* h.first("ResponseDone")
    })
  )
})
