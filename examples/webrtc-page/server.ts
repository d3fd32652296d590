/** The server of a page that talks to OpenAI over WebRTC: it begins the calls, and runs the tools beside them. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { FetchHttpClient, HttpRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Config, Console, Effect, FiberSet, Redacted, Stream } from "effect"
import { Agent, EmbeddedRealtime, OpenAiRealtime, Session, Tool } from "effect-realtime"
import * as Calls from "effect-realtime/Calls"

const hours = Tool.make("opening_hours", {
  description: "When the hotel's restaurant is open",
  handler: () => Effect.succeed("from six to ten in the evening")
})

const desk = Agent.make("Desk", {
  instructions: "Help the guests of a small hotel. Be brief.",
  tools: [hours],
  settings: { audio: { input: { transcription: { model: "gpt-4o-mini-transcribe" } } } }
})

/** Where calls are made, and what takes the place of the data channel and of the microphone, if anything. */
interface Service {
  readonly apiKey: Redacted.Redacted
  readonly baseUrl?: string
  readonly url?: string
  readonly events?: (callId: string) => string
  readonly say?: (callId: string, text: string) => Effect.Effect<void>
}

/** The embedded server: it accepts the offer, and no media flows. */
const offline = Effect.gen(function* () {
  const apiKey = Redacted.make("sk-offline")
  const server = yield* EmbeddedRealtime.serve({ mind: EmbeddedRealtime.router })
  const calls = new Map<string, EmbeddedRealtime.EmbeddedCall>()
  yield* server.nextCall.pipe(
    Effect.tap((call) => Effect.sync(() => calls.set(call.id, call))),
    Effect.forever,
    Effect.forkScoped
  )
  return {
    apiKey,
    baseUrl: server.baseUrl,
    url: server.url,
    events: (callId: string) => `${server.url}?call_id=${callId}`,
    say: (callId: string, text: string) => calls.get(callId)?.userSays(text) ?? Effect.void
  }
})

const online = Effect.map(Config.redacted("OPENAI_API_KEY"), (apiKey) => ({ apiKey }))

/** Says what the session beside a call does. */
const beside = (callId: string, { apiKey, url }: Service) =>
  Effect.gen(function* () {
    const session = yield* Session.make(desk)
    yield* Effect.forkScoped(
      Stream.runForEach(session.events, (event) =>
        event._tag === "ToolSucceeded"
          ? Console.log(`ran        ${event.call.tool} -> ${event.output}`)
          : event._tag === "TextCompleted"
            ? Console.log(`model      ${event.text}`)
            : Effect.void
      )
    )
    yield* session.await
  }).pipe(
    Effect.catchAll((error) => Console.log(`over       ${callId}: ${error._tag}`)),
    Effect.scoped,
    Effect.provide(OpenAiRealtime.layer({ apiKey, callId, url }))
  )

const body = Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ text }) => text)
const callId = Effect.map(HttpRouter.params, ({ id = "" }) => id)

/** The page, and its calls. Sessions end with the scope. */
export const app = (mode: "offline" | "online") =>
  Effect.gen(function* () {
    const service: Service = yield* mode === "offline" ? offline : online
    const calls = yield* Effect.provide(Calls.make(service), FetchHttpClient.layer)
    const fork = yield* FiberSet.makeRuntime<never, unknown, unknown>()
    const page = yield* Effect.promise(() => readFile(join(import.meta.dirname, "page.html"), "utf8"))
    return HttpRouter.empty.pipe(
      HttpRouter.get("/", HttpServerResponse.html(page)),
      HttpRouter.post(
        "/call",
        Effect.gen(function* () {
          const { answer, callId } = yield* calls.create(yield* body, { audio: { output: { voice: "marin" } } })
          yield* Console.log(`begins     ${callId}`)
          // The answer does not wait for the session.
          fork(Effect.interruptible(beside(callId, service)))
          return HttpServerResponse.unsafeJson({ answer, callId, events: service.events?.(callId) })
        })
      ),
      HttpRouter.post(
        "/call/:id/end",
        Effect.as(Effect.ignore(Effect.flatMap(callId, calls.hangUp)), HttpServerResponse.empty())
      ),
      HttpRouter.post(
        "/call/:id/say",
        Effect.gen(function* () {
          yield* service.say?.(yield* callId, yield* body) ?? Effect.void
          return HttpServerResponse.empty()
        })
      ),
      HttpRouter.catchAll((error) => HttpServerResponse.text(`${error.message}`, { status: 502 }))
    )
  })
