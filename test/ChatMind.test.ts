import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as ChatMind from "../src/ChatMind.js"
import * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import { DONE, delta, endpoint, usage } from "./chatMind/Endpoint.js"
import { answer, inText, start } from "./chatMind/talk.js"
import { connect } from "./embedded/client.js"

const lookTool = {
  type: "function",
  name: "look",
  description: "Looks",
  parameters: { type: "object", properties: { city: { type: "string" } } }
}

describe("ChatMind", () => {
  it.scopedLive("sends the conversation, and streams the answer as it arrives", () =>
    Effect.gen(function* () {
      const { asks, client, done } = yield* start({ ...inText, instructions: "Be kind." })
      const exchange = yield* asks("Good day.")
      expect(exchange.path).toBe("/v1/chat/completions")
      expect(exchange.body).toEqual({
        model: "test",
        messages: [
          { role: "system", content: "Be kind." },
          { role: "user", content: "Good day." }
        ],
        stream: true,
        stream_options: { include_usage: true }
      })
      exchange.begin()
      exchange.chunk(delta({ role: "assistant", content: "" }))
      exchange.chunk(delta({ content: "Hello" }))
      expect((yield* client.until("response.output_text.delta")).delta).toBe("Hello")
      exchange.chunk(delta({ content: " there." }))
      exchange.chunk(delta({}, "stop"))
      exchange.chunk(usage(31, 7))
      exchange.write(DONE)
      expect(yield* done).toMatchObject({
        status: "completed",
        output: [{ type: "message", status: "completed", content: [{ text: "Hello there." }] }],
        usage: { input_tokens: 31, output_tokens: 7 }
      })
      const second = yield* asks("And you?")
      expect(second.body.messages.slice(2)).toEqual([
        { role: "assistant", content: "Hello there." },
        { role: "user", content: "And you?" }
      ])
      answer(second, delta({ content: "Fine." }, "stop"))
      expect((yield* done).output).toMatchObject([{ content: [{ text: "Fine." }] }])
    })
  )

  it.scopedLive("speaks a sentence while the next one is written, and asks for words that can be spoken", () =>
    Effect.gen(function* () {
      const { asks, client, done } = yield* start({ instructions: "Be kind." })
      const exchange = yield* asks("Good day.")
      expect(exchange.body.messages[0]).toEqual({ role: "system", content: `Be kind.\n\n${ChatMind.spokenStyle}` })
      exchange.begin()
      exchange.chunk(delta({ content: "Hello there. How" }))
      expect((yield* client.until("response.output_audio.delta")).delta).not.toBe("")
      exchange.chunk(delta({ content: " are you?" }, "stop"))
      exchange.end(DONE)
      expect(yield* done).toMatchObject({
        status: "completed",
        output: [{ content: [{ transcript: "Hello there. How are you?" }] }]
      })
    })
  )

  it.scopedLive("calls tools whose arguments arrive in pieces, and gets their outputs", () =>
    Effect.gen(function* () {
      const { asks, client, done, next } = yield* start({ ...inText, tools: [lookTool], tool_choice: "required" })
      const exchange = yield* asks("Is it sunny in Paris?")
      const { description, name, parameters } = lookTool
      expect(exchange.body.tools).toEqual([{ type: "function", function: { name, description, parameters } }])
      expect(exchange.body.tool_choice).toBe("required")
      exchange.begin()
      exchange.chunk(delta({ content: "One moment." }))
      exchange.chunk(
        delta({ tool_calls: [{ index: 0, id: "abc", type: "function", function: { name: "look", arguments: "" } }] })
      )
      exchange.chunk(delta({ tool_calls: [{ index: 0, function: { arguments: '{"city"' } }] }))
      exchange.chunk(delta({ tool_calls: [{ index: 0, function: { arguments: ':"Paris"}' } }] }))
      exchange.chunk(delta({}, "tool_calls"))
      exchange.chunk(usage(50, 12))
      exchange.end(DONE)
      const { call_id } = yield* client.until("response.function_call_arguments.done")
      const { output, status, usage: counted } = yield* done
      expect(status).toBe("completed")
      expect(counted).toMatchObject({ input_tokens: 50, output_tokens: 12 })
      expect(output).toMatchObject([
        { type: "message", content: [{ text: "One moment." }] },
        { type: "function_call", name: "look", status: "completed", arguments: '{"city":"Paris"}' }
      ])
      yield* client.send({
        type: "conversation.item.create",
        item: { type: "function_call_output", call_id: call_id ?? "", output: "Sunny." }
      })
      yield* client.send({ type: "response.create", response: { tool_choice: "auto" } })
      const second = yield* next
      expect(second.body.tool_choice).toBeUndefined()
      expect(second.body.messages.slice(1)).toEqual([
        {
          role: "assistant",
          content: "One moment.",
          tool_calls: [{ id: "call00001", type: "function", function: { name: "look", arguments: '{"city":"Paris"}' } }]
        },
        { role: "tool", tool_call_id: "call00001", content: "Sunny." }
      ])
      answer(second, delta({ content: "It is sunny." }, "stop"))
      expect((yield* done).status).toBe("completed")
    })
  )

  it.scopedLive(
    "sends the key, other headers and fields, keeps the query, and reveals nothing about this process",
    () =>
      Effect.gen(function* () {
        const { next, url } = yield* endpoint
        const mind = yield* ChatMind.make({
          url: `${url}/?api-version=3`,
          model: "test",
          apiKey: Redacted.make("sk-secret"),
          headers: { "X-Team": "blue", "X-Token": Redacted.make("t-secret") },
          body: { temperature: 0.3, stream_options: undefined }
        })
        const client = yield* connect((yield* EmbeddedRealtime.make({ mind })).model)
        yield* client.send({ type: "response.create" })
        const { body, headers, path } = yield* next
        expect(path).toBe("/v1/chat/completions?api-version=3")
        expect(headers).toMatchObject({
          authorization: "Bearer sk-secret",
          "content-type": "application/json",
          "x-team": "blue",
          "x-token": "t-secret"
        })
        expect(Object.keys(headers).filter((name) => /trace|^b3$/.test(name))).toEqual([])
        expect(body.temperature).toBe(0.3)
        expect(body).not.toHaveProperty("stream_options")
      }).pipe(Effect.provide(FetchHttpClient.layer), Effect.withSpan("a trace"))
  )

  it.scopedLive.each(["response.cancel", "barge-in", "a lost connection", "a limit"])(
    "aborts its request on %s",
    (by) =>
      Effect.gen(function* () {
        const { asks, client, connection, done } = yield* start(
          by === "a limit" ? { ...inText, max_output_tokens: 3 } : inText
        )
        const exchange = yield* asks("Tell me a story.")
        exchange.begin()
        exchange.chunk(delta({ content: "Once upon a time there was a " }))
        yield* client.until("response.output_text.delta")
        if (by === "response.cancel") yield* client.send({ type: "response.cancel" })
        if (by === "a lost connection") yield* connection.drop
        if (by === "barge-in") {
          const loud = Buffer.alloc(24_000)
          for (let at = 0; at < loud.length; at += 2) loud.writeInt16LE(at % 200 < 100 ? 12_000 : -12_000, at)
          yield* client.send({ type: "input_audio_buffer.append", audio: loud.toString("base64") })
        }
        expect(yield* exchange.closed).toBe("aborted")
        if (by === "a lost connection") return
        expect((yield* done).status).toBe(by === "a limit" ? "incomplete" : "cancelled")
      })
  )

  it.scopedLive("knows after an interruption what the user heard of the answer", () =>
    Effect.gen(function* () {
      const { asks, client, done } = yield* start({})
      const exchange = yield* asks("Tell me a story.")
      answer(exchange, delta({ content: "One two three four five six seven eight nine ten." }, "stop"))
      const { item_id } = yield* client.until("response.output_audio.delta")
      yield* done
      // About a second and a half of three.
      yield* client.send({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms: 1_500 })
      const { body } = yield* asks("Go on.")
      const [, , cut, user] = body.messages
      expect(cut).toMatchObject({ role: "assistant", content: expect.stringMatching(/^One two( \w+)+…$/) })
      expect(cut).not.toMatchObject({ content: expect.stringContaining("ten") })
      expect(user).toEqual({ role: "user", content: "Go on." })
    })
  )

  it.scopedLive("aborts a request that has no answer yet", () =>
    Effect.gen(function* () {
      const { asks, client, done } = yield* start()
      const exchange = yield* asks("Hello?")
      yield* client.send({ type: "response.cancel" })
      expect(yield* exchange.closed).toBe("aborted")
      expect((yield* done).status).toBe("cancelled")
    })
  )

  it.scopedLive("refuses options that cannot be used, and shows no password", () =>
    Effect.gen(function* () {
      const problems = (options: ChatMind.Options) =>
        Effect.map(Effect.flip(ChatMind.make(options)), ({ message }) => message)
      const model = "test"
      expect(yield* problems({ url: "localhost", model })).toContain("`url` should be a URL such as http://127")
      expect(yield* problems({ url: "ws://localhost/v1", model })).toContain("begins with ws:")
      const secret = yield* problems({ url: "http://me:pass-word@localhost/v1", model })
      expect(secret).toContain("give them with `headers`")
      expect(secret).not.toContain("pass-word")
      const url = "http://localhost/v1"
      const key = yield* problems({ url, model, apiKey: Redacted.make("sk-pass-word –") })
      expect(key).toContain("`apiKey` should be a single word")
      expect(key).not.toContain("pass-word")
      const headers = { "X-One": "pass-word\n", "X Two": "2", "X-Three": Redacted.make("ok") }
      const header = yield* problems({ url, model, headers })
      expect(header).toMatch(/"X-One".*"X Two"/)
      expect(header).not.toMatch(/pass-word|X-Three/)
      expect(yield* problems({ url, model: "", timeout: -1 })).toMatch(/`model`.*`timeout`/)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
