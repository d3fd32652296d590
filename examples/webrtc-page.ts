/**
 * A page that talks to OpenAI over WebRTC, while its tools run here, in a session beside the call. Without arguments, a
 * program takes the place of the page for one call, offline, and ends.
 *
 * With `--serve`, open http://127.0.0.1:8080 in a browser: with OPENAI_API_KEY for a real call, and otherwise for one
 * that is answered by the embedded server, to which you write what you say.
 */
import { createServer } from "node:http"
import { HttpClient, HttpClientRequest, HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Schema } from "effect"
import WebSocket from "ws"
import { app } from "./webrtc-page/server.js"

const Begun = Schema.parseJson(Schema.Struct({ answer: Schema.String, callId: Schema.String, events: Schema.String }))

/** As a browser makes one, in short. */
const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=setup:actpass\r\n"

const once = Effect.gen(function* () {
  yield* HttpServer.serveEffect(yield* app("offline"))
  const client = yield* HttpClient.HttpClient
  const post = (path: string, body: string) =>
    Effect.flatMap(client.execute(HttpClientRequest.bodyText(HttpClientRequest.post(path), body)), ({ text }) => text)
  const page = yield* Effect.flatMap(client.get("/"), ({ text }) => text)
  yield* Console.log(`page       ${/<title>(.*)<\/title>/.exec(page)?.[1]}`)
  const { callId, events } = yield* Schema.decode(Begun)(yield* post("/call", offer))
  // What the page's data channel would tell.
  const socket = new WebSocket(events, ["realtime"])
  const spoken = Effect.async<string>((resume) => {
    socket.on("message", (data) => {
      const event = JSON.parse(String(data))
      if (event.type === "response.output_audio_transcript.done") resume(Effect.succeed(event.transcript))
    })
  })
  yield* Effect.async<void>((resume) => void socket.on("open", () => resume(Effect.void)))
  yield* Effect.sleep("500 millis")
  const [words] = yield* Effect.all(
    [spoken, post(`/call/${callId}/say`, "What are the opening hours of the restaurant?")],
    {
      concurrency: 2
    }
  )
  yield* Console.log(`page hears ${words}`)
  yield* post(`/call/${callId}/end`, "")
  yield* Effect.sleep("1 second")
}).pipe(Effect.scoped, Effect.provide(NodeHttpServer.layerTest))

const serve = Effect.gen(function* () {
  yield* HttpServer.serveEffect(yield* app(process.env["OPENAI_API_KEY"] === undefined ? "offline" : "online"))
  yield* Console.log("http://127.0.0.1:8080")
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(NodeHttpServer.layer(() => createServer(), { port: 8080, host: "127.0.0.1" })))

NodeRuntime.runMain(process.argv.includes("--serve") ? serve : once)
