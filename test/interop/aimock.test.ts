import { type ChatCompletionRequest, LLMock, type MockServerOptions } from "@copilotkit/aimock"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as Conversation from "../../src/Conversation.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Session from "../../src/Session.js"
import { isFailure, type SessionEvent } from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"

/** A server that was written without knowing this library, from observations of the real API. */
const mock = (options: MockServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = new LLMock({ host: "127.0.0.1", port: 0, ...options })
      await server.start()
      return server
    }),
    (server) => Effect.promise(() => server.stop())
  )

class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {}

const getWeather = Tool.make("get_weather", {
  description: "The weather in a city",
  parameters: { city: Schema.String },
  failure: CityNotFound,
  handler: ({ city }) => (city === "Atlantis" ? new CityNotFound({ city }) : Effect.succeed(`sunny in ${city}`))
})

const concierge = Agent.make("Concierge", { instructions: "Be brief.", tools: [getWeather] })

type Event = SessionEvent<CityNotFound>
type Of<T extends Event["_tag"]> = Extract<Event, { readonly _tag: T }>

const is = <T extends Event["_tag"]>(event: Event, tag: T): event is Of<T> => event._tag === tag

const connect = (server: LLMock, agent: Agent.Agent<CityNotFound, never> = concierge, options: Session.Options = {}) =>
  Effect.gen(function* () {
    const session = yield* Session.make(agent, {
      settings: { output_modalities: ["text"] },
      ...options
    }).pipe(
      Effect.provide(OpenAiRealtime.layer({ apiKey: Redacted.make("sk-test"), url: `${server.url}/v1/realtime` }))
    )
    const seen: Array<Event> = []
    const log = yield* Mailbox.make<Event>()
    yield* Effect.forkScoped(
      Stream.runForEach(session.events, (event) =>
        Effect.sync(() => {
          seen.push(event)
          log.unsafeOffer(event)
        })
      )
    )
    const until = <T extends Event["_tag"]>(
      tag: T,
      fits: (event: Of<T>) => boolean = () => true
    ): Effect.Effect<Of<T>> =>
      Effect.gen(function* () {
        for (;;) {
          const event = yield* Effect.orDie(log.take)
          if (is(event, tag) && fits(event)) return event
        }
      })
    return { session, until, failures: () => seen.filter((event) => isFailure(event)) }
  })

/** What the model reads of the conversation, at its latest request. */
const reads = (server: LLMock): ReadonlyArray<{ readonly role: string; readonly content: unknown }> => {
  const body = server.getLastRequest()?.body
  // The journal's body is loose JSON: a request of any of the APIs that aimock speaks.
  return (body as ChatCompletionRequest | null | undefined)?.messages ?? []
}

const weatherIn = (city: string) => ({ name: "get_weather", arguments: JSON.stringify({ city }) })

describe("a session with aimock", () => {
  it.scopedLive("sends a text, and gets the answer piece by piece", () =>
    Effect.gen(function* () {
      const server = yield* mock()
      server.onMessage("Good morning", { content: "Good morning to you." }, { chunkSize: 6 })
      const { session, until, failures } = yield* connect(server)
      yield* session.sendText("Good morning!")
      expect((yield* until("TextDelta")).delta).toBe("Good m")
      expect((yield* until("TextCompleted")).text).toBe("Good morning to you.")
      expect(yield* until("ResponseDone")).toMatchObject({ status: "completed" })
      expect(reads(server)).toMatchObject([{ role: "system", content: "Be brief." }, { role: "user" }])
      const { items } = yield* session.conversation
      expect(items.map((item) => item._tag === "Message" && Conversation.textOf(item))).toEqual([
        "Good morning!",
        "Good morning to you."
      ])
      expect(failures()).toEqual([])
    })
  )

  it.scopedLive("runs a call, and has the model say what comes of it", () =>
    Effect.gen(function* () {
      const server = yield* mock()
      server.on({ userMessage: "weather", hasToolResult: false }, { toolCalls: [weatherIn("Paris")] })
      server.on({ toolResultContains: "sunny in Paris" }, { content: "It is sunny." })
      const { session, until, failures } = yield* connect(server)
      yield* session.sendText("How is the weather in Paris?")
      expect(yield* until("ToolSucceeded")).toMatchObject({ output: "sunny in Paris" })
      expect((yield* until("TextCompleted")).text).toBe("It is sunny.")
      expect(failures()).toEqual([])
    })
  )

  it.scopedLive("runs two calls of one response, and asks once for an answer to both", () =>
    Effect.gen(function* () {
      const server = yield* mock()
      server.on(
        { userMessage: "weather", hasToolResult: false },
        { content: "One moment.", toolCalls: [weatherIn("Paris"), weatherIn("Atlantis")] }
      )
      server.on({ userMessage: "weather", hasToolResult: true }, { content: "One is sunny." })
      const { session, until, failures } = yield* connect(server)
      yield* session.sendText("How is the weather in Paris and Atlantis?")
      yield* until("TextCompleted", ({ text }) => text === "One is sunny.")
      const outputs = reads(server).flatMap(({ role, content }) => (role === "tool" ? [content] : []))
      expect(outputs).toEqual([
        "sunny in Paris",
        JSON.stringify({
          error: { type: "CityNotFound", message: "get_weather failed.", details: { city: "Atlantis" } }
        })
      ])
      expect(failures()).toMatchObject([{ _tag: "ToolFailed", error: { failure: { city: "Atlantis" } } }])
      expect(server.getRequests()).toHaveLength(2)
    })
  )

  it.scopedLive("is told of a response that failed for good, and goes on", () =>
    Effect.gen(function* () {
      const server = yield* mock()
      server.onMessage("secret", { error: { message: "Not that.", type: "invalid_request_error", code: "refused" } })
      server.onMessage("sky", { content: "It is blue." })
      const { session, until } = yield* connect(server)
      yield* session.sendText("Tell me a secret.")
      expect(yield* until("ResponseDone")).toMatchObject({ status: "failed", reason: "refused" })
      yield* session.sendText("What colour is the sky?")
      expect((yield* until("TextCompleted")).text).toBe("It is blue.")
      expect(server.getRequests()).toHaveLength(2)
    })
  )

  it.scopedLive("asks again for a response that failed for a passing reason", () =>
    Effect.gen(function* () {
      const server = yield* mock()
      server.onMessage("sky", { content: "It is blue." })
      server.nextRequestError(503, { message: "Overloaded.", type: "server_error", code: "server_error" })
      const { session, until } = yield* connect(server)
      yield* session.sendText("What colour is the sky?")
      expect(yield* until("ResponseDone")).toMatchObject({ status: "failed", reason: "server_error" })
      expect((yield* until("TextCompleted")).text).toBe("It is blue.")
    })
  )

  it.scopedLive(
    "ends with ConnectionLost, if the application wants that, when the server drops it in the middle of a sentence",
    () =>
      Effect.gen(function* () {
        const server = yield* mock()
        server.onMessage("story", { content: "Once upon a time there was" }, { chunkSize: 4, truncateAfterChunks: 3 })
        const { session, until } = yield* connect(server, concierge, { reconnect: false })
        yield* session.sendText("Tell me a story.")
        const error = yield* Effect.flip(session.await)
        expect(error).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
        expect(yield* until("SessionEnded")).toMatchObject({ error: { _tag: "ConnectionLost" } })
        expect(yield* Effect.flip(session.sendText("Are you there?"))).toMatchObject({ _tag: "SessionClosed" })
      })
  )

  it.scopedLive("publishes the call that the end of the connection left without an output", () =>
    Effect.gen(function* () {
      const server = yield* mock({ strict: true })
      const stuck = Agent.make("Stuck", {
        instructions: "Be brief.",
        tools: [Tool.make("wait", { description: "Waits", handler: () => Effect.never })]
      })
      server.on({ userMessage: "wait" }, { toolCalls: [{ name: "wait", arguments: "{}" }] })
      const { session, until } = yield* connect(server, stuck)
      yield* session.sendText("Please wait.")
      yield* until("ToolStarted")
      // In strict mode, aimock hangs up on a request that it has no fixture for.
      yield* session.sendText("Something that it was not told of.")
      expect(yield* until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted" }, output: undefined })
      expect(yield* Effect.flip(session.await)).toMatchObject({ _tag: "ConnectionLost", code: 1008 })
    })
  )
})
