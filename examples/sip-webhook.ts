/**
 * An agent that answers the phone. OpenAI carries the call: it announces it with a webhook, this server accepts it, and a
 * session stands beside it with the tools. Runs offline: the embedded server takes OpenAI's place, and the caller's.
 *
 * With `--serve`, OPENAI_API_KEY and OPENAI_WEBHOOK_SECRET, it answers real calls: `POST /openai` on port 8080.
 */
import { createServer } from "node:http"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpRouter, HttpServer } from "@effect/platform"
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Config, Console, Deferred, Effect, Exit, Layer, Redacted, Stream } from "effect"
import { Agent, EmbeddedRealtime, OpenAiRealtime, type Session, Tool } from "effect-realtime"
import * as Calls from "effect-realtime/Calls"
import "./shared/pipe.js"

const hours = Tool.make("opening_hours", {
  description: "When the hotel's restaurant is open",
  handler: () => Effect.succeed("from six to ten in the evening")
})

const desk = Agent.make("Desk", { instructions: "Answer the phone of a small hotel. Be brief.", tools: [hours] })

/** Says what happens, and lets the model speak first. */
const attend = (session: Session.Session) =>
  Effect.zipRight(
    session.requestResponse(),
    Stream.runForEach(session.events, (event) => {
      switch (event._tag) {
        case "TextCompleted":
          return Console.log(`model      ${event.text}`)
        case "ToolSucceeded":
          return Console.log(`ran        ${event.call.tool} -> ${event.output}`)
        case "AudioInterrupted":
          return Console.log(`cut        after ${event.heardMs} ms, by the server that plays it`)
        case "DtmfReceived":
          return Console.log(`key        ${event.key}`)
        default:
          return Effect.void
      }
    })
  )

/** The webhook, for a key and a secret. `urls`: of another service than OpenAI's. */
const webhook = (
  apiKey: Redacted.Redacted,
  secret: Redacted.Redacted,
  urls: { readonly baseUrl?: string; readonly url?: string } = {},
  onEnd: Effect.Effect<unknown> = Effect.void
) =>
  Calls.sip({
    secret,
    decide: ({ callId, sipHeaders }) =>
      Console.log(`rings      ${callId}, from ${sipHeaders.find(({ name }) => name === "From")?.value}`).pipe(
        Effect.as(Calls.answer(desk, { begin: attend }))
      ),
    beside: (callId) => OpenAiRealtime.make({ apiKey, callId, url: urls.url }),
    onEnd: ({ callId }, exit) =>
      Effect.zipRight(
        Console.log(`over       ${callId}${Exit.isSuccess(exit) ? "" : `: ${exit.cause}`}`),
        Effect.asVoid(onEnd)
      )
  }).pipe(Effect.provide(Layer.provide(Calls.layer({ apiKey, baseUrl: urls.baseUrl }), FetchHttpClient.layer)))

const { call, say } = EmbeddedRealtime

/** A call from its first ring to its end, without OpenAI and without a phone. */
const offline = Effect.gen(function* () {
  const apiKey = Redacted.make("sk-offline")
  const secret = Redacted.make("whsec_b2ZmbGluZQ==")
  const service = yield* EmbeddedRealtime.serve({
    apiKey,
    mind: EmbeddedRealtime.script([
      [say("Hotel Miramar, good evening. Our restaurant is open tonight, and so is the bar.")],
      [call("opening_hours")],
      [say("From six to ten.")]
    ])
  })
  const over = yield* Deferred.make<void>()
  const { app } = yield* webhook(apiKey, secret, service, Deferred.succeed(over, undefined))
  yield* HttpServer.serveEffect(app)

  const line = yield* service.ring
  const sipHeaders = [{ name: "From", value: "sip:+15550100@example.com" }]
  const event = { id: "wh_1", type: "realtime.call.incoming", data: { call_id: line.id, sip_headers: sipHeaders } }
  const { body, headers } = yield* Calls.sign(event, secret)
  const client = yield* HttpClient.HttpClient
  const announcement = HttpClientRequest.post("/openai").pipe(
    HttpClientRequest.bodyUint8Array(body, "application/json"),
    HttpClientRequest.setHeaders(headers)
  )
  // The service delivers a webhook again when it is not sure. The call is taken once.
  for (const delivery of ["first", "second"]) {
    const { status } = yield* client.execute(announcement)
    yield* Console.log(`webhook    ${delivery} delivery: ${status}`)
  }
  const connection = yield* service.connection
  yield* connection.next("response.create")
  yield* Effect.sleep("1 second")
  yield* line.userSays("When is the restaurant open?")
  yield* connection.next("response.create")
  yield* line.pressKey("1")
  yield* Effect.sleep("300 millis")
  yield* line.hangUp
  yield* Deferred.await(over)
}).pipe(Effect.scoped, Effect.provide(NodeHttpServer.layerTest))

const online = Effect.gen(function* () {
  const { app } = yield* webhook(
    yield* Config.redacted("OPENAI_API_KEY"),
    yield* Config.redacted("OPENAI_WEBHOOK_SECRET")
  )
  yield* HttpRouter.empty.pipe(HttpRouter.post("/openai", app), HttpServer.serveEffect())
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(NodeHttpServer.layer(() => createServer(), { port: 8080 })))

if (process.argv.includes("--serve")) NodeRuntime.runMain(online)
else NodeRuntime.runMain(offline)
