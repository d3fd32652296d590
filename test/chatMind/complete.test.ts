import * as Net from "node:net"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as ChatMind from "../../src/ChatMind.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { connect, inText } from "../embedded/client.js"
import { listen } from "../openai/Loopback.js"
import { DONE, delta, type Exchange, usage } from "./Endpoint.js"
import { answer, start } from "./talk.js"

const event = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`

const hello = delta({ content: "Hello." })
const stop = delta({}, "stop")

describe("An answer that is odd, but valid", () => {
  it.scopedLive.each<[name: string, text: string]>([
    ["has no word that it is over", event(hello) + event(stop)],
    ["has no reason why it is over", event(hello) + DONE],
    ["has neither an empty line nor a word in the end", (event(hello) + event(stop)).trimEnd()],
    ["has lines that end as on Windows", (event(hello) + event(stop) + DONE).replaceAll("\n", "\r\n")],
    ["has comments in it", `: processing\n\n${event(hello)}: still here\n\n${event(stop)}${DONE}`],
    ["begins with a chunk without choices", event({ choices: [], prompt_filter_results: [] }) + event(stop)],
    ["counts tokens behind its end", event(hello) + event(stop) + event(usage(3, 4)) + DONE],
    ["names the reason with the last words", event(delta({ content: "Hello." }, "stop")) + DONE],
    ["thinks aloud first", event(delta({ content: "<think>Greet.</think>\n" })) + event(hello) + event(stop) + DONE],
    ["thinks in a field of its own", event(delta({ reasoning_content: "Greet." })) + event(hello) + event(stop)],
    ["has its text in parts", event(delta({ content: [{ type: "text", text: "Hello." }] })) + event(stop)],
    ["has more choices than one", event({ choices: [{ index: 1, delta: { content: "No." } }] }) + event(hello) + DONE],
    ["ends for a reason of its own", event(hello) + event(delta({}, "eos")) + DONE],
    ["begins with a byte order mark", `\uFEFF${event(hello)}${DONE}`]
  ])("is heard where it %s", ([name, text]) =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const exchange = yield* asks("Good day.")
      exchange.begin()
      exchange.end(text)
      const { output, status } = yield* done
      expect(status).toBe("completed")
      expect(output).toMatchObject(name.startsWith("begins with a chunk") ? [] : [{ content: [{ text: "Hello." }] }])
    })
  )

  it.scopedLive("is read if its characters are split between two pieces", () =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const exchange = yield* asks("Good day.")
      exchange.begin()
      const bytes = Buffer.from(event(delta({ content: "Grüße 🎈." })) + event(stop) + DONE)
      for (let at = 0; at < bytes.length; at += 1) exchange.write(bytes.subarray(at, at + 1))
      exchange.end()
      expect((yield* done).output).toMatchObject([{ content: [{ text: "Grüße 🎈." }] }])
    })
  )

  it.scopedLive("is over when the endpoint says so, even if the connection stays open", () =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const exchange = yield* asks("Good day.")
      exchange.begin()
      exchange.write(event(hello) + DONE)
      expect((yield* done).status).toBe("completed")
      expect(yield* exchange.closed).toBe("aborted")
    })
  )

  it.scopedLive("is heard in one piece, with its calls, from an endpoint that does not stream", () =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const exchange = yield* asks("Good day.")
      exchange.begin(200, { "content-type": "application/json; charset=utf-8" })
      const tool_calls = [{ id: "a", type: "function", function: { name: "look", arguments: "{}" } }]
      const choices = [
        { index: 0, message: { role: "assistant", content: "Hello.", tool_calls }, finish_reason: "stop" }
      ]
      exchange.end(JSON.stringify({ choices, usage: { prompt_tokens: 5, completion_tokens: 6 } }))
      expect(yield* done).toMatchObject({
        status: "completed",
        output: [{ content: [{ text: "Hello." }] }, { name: "look", arguments: "{}" }],
        usage: { input_tokens: 5, output_tokens: 6 }
      })
    })
  )

  it.scopedLive("leaves no empty message before a call", () =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const called = delta({ tool_calls: [{ index: 0, id: "a", function: { name: "look", arguments: "{}" } }] })
      answer(
        yield* asks("Good day."),
        delta({ role: "assistant", content: "" }),
        delta({ content: "\n\n" }),
        called,
        stop
      )
      expect((yield* done).output).toMatchObject([{ type: "function_call", name: "look" }])
    })
  )

  it.scopedLive.each([
    ["length", "max_output_tokens"],
    ["content_filter", "content_filter"]
  ])("is incomplete where it ends with %s, and so is the call that it was writing", ([finish, reason]) =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const called = delta({ tool_calls: [{ index: 0, id: "a", function: { name: "look", arguments: '{"ci' } }] })
      answer(yield* asks("Good day."), hello, called, delta({}, finish), usage(8, 9))
      expect(yield* done).toMatchObject({
        status: "incomplete",
        status_details: { reason },
        output: [{ status: "completed" }, { type: "function_call", status: "incomplete" }],
        usage: { input_tokens: 8, output_tokens: 9 }
      })
    })
  )
})

const json = { "content-type": "application/json" }
const refuse =
  (status: number, body: object | string, headers: object = {}) =>
  (exchange: Exchange) => {
    exchange.begin(status, { ...json, ...headers })
    exchange.end(typeof body === "string" ? body : JSON.stringify(body))
  }
const sends = (text: string) => (exchange: Exchange) => {
  exchange.begin()
  exchange.end(text)
}

describe("A response fails, and says what to do,", () => {
  it.scopedLive.each<
    [name: string, fail: (exchange: Exchange) => void, code: string, advice: string, quote: string | undefined]
  >([
    [
      "where the key is wrong",
      refuse(401, { error: { message: "Incorrect API key", code: "invalid_api_key" } }),
      "invalid_api_key",
      "The API key is wrong. Check that it is complete",
      "Incorrect API key"
    ],
    ["where there is no key", refuse(401, "", {}), "invalid_api_key", "Give the key that belongs", undefined],
    ["where access is denied", refuse(403, "no"), "permission_denied", "Check what the API key may do", "no"],
    [
      "where the model is unknown",
      refuse(404, { error: { message: "model 'x' not found", code: "model_not_found" } }),
      "model_not_found",
      "There is no such model",
      "model 'x' not found"
    ],
    ["where the URL is wrong", refuse(404, "<html>404</html>"), "not_found", "usually with `/v1`", undefined],
    [
      "where the conversation is too long",
      refuse(400, { error: { message: "Too long", code: "context_length_exceeded" } }),
      "context_length_exceeded",
      "the length of the conversation",
      "Too long"
    ],
    ["where the body is refused", refuse(422, { detail: "no tools" }), "invalid_request_error", "supports", "no tools"],
    [
      "where there are too many requests",
      refuse(429, { error: { message: "Slow down" } }, { "retry-after": "7" }),
      "rate_limit_exceeded",
      "Please try again in 7000ms.",
      "Slow down"
    ],
    [
      "where the quota is used up",
      refuse(429, { error: { message: "You exceeded", code: "insufficient_quota" } }),
      "insufficient_quota",
      "The account's quota is used up.",
      "You exceeded"
    ],
    [
      "where the endpoint is broken",
      refuse(500, { error: "out of memory" }),
      "server_error",
      "Check its log",
      "out of memory"
    ],
    ["where the endpoint is away", refuse(503, ""), "server_error", "ask again", undefined],
    [
      "where a page answers",
      (exchange) => {
        exchange.begin(200, { "content-type": "text/html" })
        exchange.end("<html>")
      },
      "invalid_request_error",
      "answers with text/html. Check that the URL",
      undefined
    ],
    ["when it sends data that is not JSON", sends("data: {oops\n\n"), "server_error", "data that is not JSON", "{oops"],
    ["when it sends JSON that is not an object", sends("data: 7\n\n"), "server_error", "data that is not JSON", "7"],
    [
      "where it gives up halfway",
      sends(event(hello) + event({ error: { message: "CUDA" } })),
      "server_error",
      "gave up",
      "CUDA"
    ],
    [
      "where it gives up because of a limit",
      sends(event({ error: { message: "Later", code: "rate_limit_exceeded" } })),
      "rate_limit_exceeded",
      "gave up",
      "Later"
    ],
    ["where it ends with an error", sends(event(delta({}, "error")) + DONE), "server_error", "gave up", undefined],
    ["where its stream ends halfway", sends(event(hello)), "server_error", "in the middle of the answer", undefined],
    [
      "where its stream ends in an event",
      sends(event(hello) + event(stop).slice(0, 40)),
      "server_error",
      "in the middle of the answer",
      undefined
    ],
    ["where its stream is empty", sends(""), "server_error", "in the middle of the answer", undefined],
    [
      "where the connection breaks",
      (exchange) => {
        exchange.begin()
        exchange.write(event(hello))
        exchange.destroy()
      },
      "server_error",
      "in the middle of the answer",
      undefined
    ],
    [
      "where a call has no name",
      sends(event(delta({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] }, "tool_calls")) + DONE),
      "server_error",
      "without naming it",
      undefined
    ]
  ])("%s", ([_, fail, code, advice, quote]) =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      fail(yield* asks("Good day."))
      const { status, status_details } = yield* done
      expect([status, status_details?.error?.code]).toEqual(["failed", code])
      const message = status_details?.error?.message ?? ""
      expect(message).toContain(advice)
      if (quote === undefined) expect(message).not.toContain("The endpoint said")
      else expect(message).toContain(`The endpoint said: ${quote}`)
    })
  )

  it.scopedLive("when nothing listens", () =>
    Effect.gen(function* () {
      // A port that was free a moment ago.
      const port = yield* Effect.scoped(listen(Net.createServer()))
      const mind = yield* ChatMind.make({ url: `http://127.0.0.1:${port}/v1`, model: "test" })
      const client = yield* connect((yield* EmbeddedRealtime.make({ mind })).model)
      yield* client.send({ type: "response.create" })
      const { status, status_details } = (yield* client.until("response.done")).response
      expect(status).toBe("failed")
      expect(status_details?.error).toMatchObject({
        code: "server_error",
        message: `Nothing listens at 127.0.0.1:${port}. Start the chat endpoint there, or check the URL's host and port. (ECONNREFUSED)`
      })
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.scopedLive.each(["before its answer", "in the middle of it"])("where the endpoint falls silent %s", (when) =>
    Effect.gen(function* () {
      const { asks, done } = yield* start(undefined, { timeout: "50 millis" })
      const exchange = yield* asks("Good day.")
      if (when === "in the middle of it") {
        exchange.begin()
        exchange.chunk(hello)
      }
      expect((yield* done).status_details?.error).toMatchObject({
        code: "server_error",
        message: expect.stringContaining("sent nothing for 50ms. If it was loading the model, ask again")
      })
      expect(yield* exchange.closed).toBe("aborted")
    })
  )

  it.scopedLive("when the answer never ends", () =>
    Effect.gen(function* () {
      const { asks, done } = yield* start()
      const exchange = yield* asks("Good day.")
      exchange.begin()
      const piece = event(delta({ reasoning: "x".repeat(2 ** 20) }))
      for (let count = 0; count < 17; count += 1) exchange.write(piece)
      expect((yield* done).status_details?.error?.message).toContain("more than 16 MiB in one answer")
      expect(yield* exchange.closed).toBe("aborted")
    })
  )

  it.scopedLive("and does not show a key that the endpoint sends back", () =>
    Effect.gen(function* () {
      const { asks, done } = yield* start(undefined, {
        apiKey: Redacted.make("sk-very-secret"),
        headers: { "x-other": Redacted.make("other-secret") }
      })
      refuse(401, { error: { message: "Bad key sk-very-secret, other-secret" } })(yield* asks("Good day."))
      const message = (yield* done).status_details?.error?.message ?? ""
      expect(message).toContain("Bad key <redacted>, <redacted>")
      expect(message).not.toContain("secret")
    })
  )

  it.scopedLive("and the next one is asked again", () =>
    Effect.gen(function* () {
      const { asks, client, done } = yield* start()
      refuse(503, "")(yield* asks("Good day."))
      expect((yield* done).status).toBe("failed")
      yield* client.send(inText)
      answer(yield* asks("Are you there?"), hello, stop)
      expect((yield* done).status).toBe("completed")
    })
  )
})
