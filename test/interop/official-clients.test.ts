import { describe, expect, it } from "@effect/vitest"
import { RealtimeAgent, type RealtimeItem, tool } from "@openai/agents-realtime"
import * as Effect from "effect/Effect"
import type { RealtimeClientEvent } from "openai/resources/realtime/realtime"
import { z } from "zod"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { agentsClient, openAiClient, serveTls } from "./clients.js"

const { call, say, script, silentVoice, stall } = EmbeddedRealtime

const serve = (...turns: ReadonlyArray<EmbeddedRealtime.Turn>) =>
  EmbeddedRealtime.serve({ mind: script(turns), voice: silentVoice() })

/** What the server has to say of its client: it is the judge, too. */
const verdict = (server: EmbeddedRealtime.Served) =>
  Effect.gen(function* () {
    const connection = yield* server.connection
    const received = (yield* connection.received).map(({ type }) => type)
    return {
      refused: yield* connection.refused,
      outputs: (yield* connection.outputs).map(({ output }) => output),
      responses: received.filter((type) => type === "response.create").length,
      received,
      conversation: yield* connection.conversation
    }
  })

const weather = tool({
  name: "get_weather",
  description: "Current weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`
})

const agentWith = (...tools: ReadonlyArray<typeof weather>) =>
  new RealtimeAgent({ name: "concierge", instructions: "Be brief.", tools: [...tools] })

const inText = { outputModalities: ["text" as const] }

describe("RealtimeSession of @openai/agents-realtime", () => {
  it.scopedLive("gets text for text", () =>
    Effect.gen(function* () {
      const server = yield* serve([say("Good morning to you.")])
      const { session, until, history } = yield* agentsClient(server, agentWith(), inText)
      session.sendMessage("Good morning!")
      expect((yield* until("Said")).text).toBe("Good morning to you.")
      expect(history()).toMatchObject([
        { role: "user", content: [{ type: "input_text", text: "Good morning!" }] },
        { role: "assistant", status: "completed", content: [{ type: "output_text", text: "Good morning to you." }] }
      ])
      const { refused, conversation } = yield* verdict(server)
      expect(refused).toEqual([])
      expect(conversation).toMatchObject([{ role: "user" }, { role: "assistant", status: "completed" }])
    })
  )

  it.scopedLive("runs a tool, and says what comes of it", () =>
    Effect.gen(function* () {
      const server = yield* serve([call("get_weather", { city: "Paris" })], [say("It is sunny.")])
      const { session, until, history } = yield* agentsClient(server, agentWith(weather))
      session.sendMessage("How is the weather in Paris?")
      expect(yield* until("ToolEnded")).toMatchObject({ tool: "get_weather", result: "sunny in Paris" })
      yield* until("Said", ({ text }) => text === "It is sunny.")
      expect(history().find(({ type }) => type === "function_call")).toMatchObject({
        status: "completed",
        arguments: '{"city":"Paris"}',
        output: "sunny in Paris"
      })
      expect(yield* verdict(server)).toMatchObject({ refused: [], outputs: ["sunny in Paris"], responses: 2 })
    })
  )

  it.scopedLive("runs two calls of one response", () =>
    Effect.gen(function* () {
      const server = yield* serve(
        [call("get_weather", { city: "Paris" }), call("get_weather", { city: "Oslo" })],
        [say("Sunny in both.")],
        [say("Sunny in both.")]
      )
      const { session, until } = yield* agentsClient(server, agentWith(weather))
      session.sendMessage("How is the weather in Paris and Oslo?")
      const ended = [yield* until("ToolEnded"), yield* until("ToolEnded")]
      expect(ended.map(({ result }) => result)).toEqual(["sunny in Paris", "sunny in Oslo"])
      yield* until("Said", ({ text }) => text === "Sunny in both.")
      expect(yield* verdict(server)).toMatchObject({ refused: [], outputs: ["sunny in Paris", "sunny in Oslo"] })
    })
  )

  it.scopedLive("answers for a tool that throws", () =>
    Effect.gen(function* () {
      const broken = tool({
        name: "get_weather",
        description: "Current weather in a city",
        parameters: z.object({ city: z.string() }),
        execute: async (): Promise<string> => {
          throw new Error("the station is down")
        }
      })
      const server = yield* serve([call("get_weather", { city: "Paris" })], [say("I could not find out.")])
      const { session, until } = yield* agentsClient(server, agentWith(broken))
      session.sendMessage("How is the weather in Paris?")
      yield* until("Said", ({ text }) => text === "I could not find out.")
      const { refused, outputs } = yield* verdict(server)
      expect(refused).toEqual([])
      expect(outputs).toEqual([expect.stringContaining("error")])
    })
  )

  it.scopedLive("runs a call once it is approved", () =>
    Effect.gen(function* () {
      const guarded = tool({
        name: "get_weather",
        description: "Current weather in a city",
        parameters: z.object({ city: z.string() }),
        needsApproval: true,
        execute: async ({ city }) => `sunny in ${city}`
      })
      const server = yield* serve([call("get_weather", { city: "Paris" })], [say("It is sunny.")])
      const { session, until } = yield* agentsClient(server, agentWith(guarded))
      session.sendMessage("How is the weather in Paris?")
      const { approve } = yield* until("ApprovalRequested")
      expect((yield* verdict(server)).outputs).toEqual([])
      yield* Effect.promise(approve)
      yield* until("Said", ({ text }) => text === "It is sunny.")
      expect(yield* verdict(server)).toMatchObject({ refused: [], outputs: ["sunny in Paris"] })
    })
  )

  it.scopedLive("hands off to another agent", () =>
    Effect.gen(function* () {
      const billing = new RealtimeAgent({ name: "billing", instructions: "You know the invoices." })
      const desk = new RealtimeAgent({ name: "desk", instructions: "Send people on.", handoffs: [billing] })
      const server = yield* serve([call("transfer_to_billing")], [say("Billing, hello.")])
      const { session, until } = yield* agentsClient(server, desk)
      session.sendMessage("My invoice is wrong.")
      expect(yield* until("HandedOff")).toMatchObject({ from: "desk", to: "billing" })
      yield* until("Said", ({ text }) => text === "Billing, hello.")
      const connection = yield* server.connection
      expect(yield* connection.session).toMatchObject({ instructions: "You know the invoices." })
      expect(yield* verdict(server)).toMatchObject({ refused: [], responses: 2 })
    })
  )

  it.scopedLive("deletes items from the conversation, and adds others", () =>
    Effect.gen(function* () {
      const server = yield* serve([say("Noted.")])
      const { session, until, history } = yield* agentsClient(server, agentWith(), inText)
      session.sendMessage("My PIN is 1234.")
      yield* until("Said")
      const note: RealtimeItem = {
        itemId: "note_1",
        type: "message",
        role: "user",
        status: "completed",
        content: [{ type: "input_text", text: "My PIN is a secret." }]
      }
      session.updateHistory((items) => [note, ...items.slice(1)])
      yield* until("Transported", ({ type }) => type === "conversation.item.deleted")
      yield* until("Transported", ({ type }) => type === "conversation.item.done")
      const { refused, conversation } = yield* verdict(server)
      expect(refused).toEqual([])
      expect(conversation).toMatchObject([
        { id: "note_1", content: [{ text: "My PIN is a secret." }] },
        { role: "assistant", content: [{ text: "Noted." }] }
      ])
      expect(history().map(({ itemId }) => itemId)).toEqual(conversation.map(({ id }) => id))
    })
  )

  it.scopedLive("interrupts what is being said, and goes on", () =>
    Effect.gen(function* () {
      const server = yield* serve([say("Once upon a time there was a king."), stall], [say("As you wish.")])
      const { session, until } = yield* agentsClient(server, agentWith())
      session.sendMessage("Tell me a story.")
      yield* until("AudioStarted")
      session.interrupt()
      yield* until("AudioInterrupted")
      // The client asks for what is left of the item once the server has truncated it.
      yield* until("Transported", ({ type }) => type === "conversation.item.retrieved")
      session.sendMessage("Something else, please.")
      yield* until("Said", ({ text }) => text === "As you wish.")
      const { refused, received, conversation } = yield* verdict(server)
      expect(refused).toEqual([])
      expect(received).toEqual(
        expect.arrayContaining(["response.cancel", "conversation.item.truncate", "conversation.item.retrieve"])
      )
      expect(conversation.map((item) => "status" in item && item.status)).toEqual([
        "completed",
        "incomplete",
        "completed",
        "completed"
      ])
    })
  )
})

const getWeather = {
  type: "function",
  name: "get_weather",
  description: "Current weather in a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
} as const

const userSays = (text: string): RealtimeClientEvent => ({
  type: "conversation.item.create",
  item: { type: "message", role: "user", content: [{ type: "input_text", text }] }
})

const outputOf = (callId: string, output: string): RealtimeClientEvent => ({
  type: "conversation.item.create",
  item: { type: "function_call_output", call_id: callId, output }
})

describe("OpenAIRealtimeWS of openai", () => {
  const serve = (...turns: ReadonlyArray<EmbeddedRealtime.Turn>) =>
    serveTls({ mind: script(turns), voice: silentVoice() })

  const connected = (server: Effect.Effect.Success<ReturnType<typeof serve>>) =>
    Effect.gen(function* () {
      const client = yield* openAiClient(server)
      yield* client.send({
        type: "session.update",
        session: { type: "realtime", output_modalities: ["text"], tools: [getWeather] }
      })
      const { session } = yield* client.until("session.updated")
      expect(session).toMatchObject({ output_modalities: ["text"], tools: [{ name: "get_weather" }] })
      return client
    })

  it.scopedLive("gets text for text, piece by piece", () =>
    Effect.gen(function* () {
      const server = yield* serve([say("Good morning to you.")])
      const client = yield* connected(server)
      yield* client.send(userSays("Good morning!"))
      yield* client.send({ type: "response.create" })
      const events = yield* client.through("response.done")
      const pieces = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []))
      expect(pieces.length).toBeGreaterThan(1)
      expect(pieces.join("")).toBe("Good morning to you.")
      expect(events.at(-1)).toMatchObject({
        response: {
          status: "completed",
          output: [{ content: [{ type: "output_text", text: "Good morning to you." }] }],
          usage: { output_tokens: expect.any(Number) }
        }
      })
      expect((yield* verdict(server)).refused).toEqual([])
    })
  )

  it.scopedLive("answers two calls of one response, and asks for one response more", () =>
    Effect.gen(function* () {
      const server = yield* serve(
        [call("get_weather", { city: "Paris" }), call("get_weather", { city: "Oslo" })],
        [say("Sunny in both.")]
      )
      const client = yield* connected(server)
      yield* client.send(userSays("How is the weather in Paris and Oslo?"))
      yield* client.send({ type: "response.create" })
      const { response } = yield* client.until("response.done")
      for (const item of response.output ?? []) {
        if (item.type === "function_call") yield* client.send(outputOf(item.call_id ?? "", `sunny: ${item.arguments}`))
      }
      yield* client.send({ type: "response.create" })
      expect((yield* client.until("response.output_text.done")).text).toBe("Sunny in both.")
      expect(yield* verdict(server)).toMatchObject({
        refused: [],
        outputs: ['sunny: {"city":"Paris"}', 'sunny: {"city":"Oslo"}'],
        responses: 2
      })
    })
  )

  it.scopedLive("cancels a response, and is told so", () =>
    Effect.gen(function* () {
      const server = yield* serve([say("Once upon a time"), stall])
      const client = yield* connected(server)
      yield* client.send({ type: "response.create" })
      yield* client.until("response.output_text.delta")
      yield* client.send({ type: "response.cancel" })
      expect((yield* client.until("response.done")).response).toMatchObject({
        status: "cancelled",
        status_details: { reason: "client_cancelled" }
      })
      expect((yield* verdict(server)).refused).toEqual([])
    })
  )

  it.scopedLive("is told which of its events was refused, and goes on", () =>
    Effect.gen(function* () {
      const server = yield* serve([say("Still here.")])
      const client = yield* connected(server)
      yield* client.send({ ...outputOf("call_unknown", "sunny"), event_id: "event_1" })
      expect((yield* client.until("error")).error).toMatchObject({
        code: "invalid_tool_call_id",
        event_id: "event_1"
      })
      yield* client.send({ type: "response.create" })
      expect((yield* client.until("response.output_text.done")).text).toBe("Still here.")
    })
  )
})
