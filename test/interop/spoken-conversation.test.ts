import { describe, expect, it } from "@effect/vitest"
import { RealtimeAgent, type RealtimeSessionConfig, tool } from "@openai/agents-realtime"
import * as Effect from "effect/Effect"
import { z } from "zod"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { sound } from "../embedded/sound.js"
import { agentsClient, openAiClient, serveTls } from "./clients.js"

const { call, mcpApprovalRequest, mcpCall, mcpListTools, say, script, stall } = EmbeddedRealtime

/** 16-bit PCM as the SDK takes it: a buffer of its own. */
const bufferOf = (...pieces: ReadonlyArray<Buffer>): ArrayBuffer => {
  const bytes = Buffer.concat(pieces)
  const buffer = new ArrayBuffer(bytes.length)
  new Uint8Array(buffer).set(bytes)
  return buffer
}

const aTurn = () => bufferOf(sound(200, 0), sound(400), sound(600, 0))

const listening: Partial<RealtimeSessionConfig> = {
  audio: {
    input: { turnDetection: { type: "server_vad", silenceDurationMs: 500 }, transcription: { model: "whisper-1" } }
  }
}

const weather = tool({
  name: "get_weather",
  description: "Current weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`
})

describe("RealtimeSession of @openai/agents-realtime, by voice", () => {
  it.scopedLive("is heard, has a tool run, and hears the answer", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        mind: script([[call("get_weather", { city: "Paris" })], [say("It is sunny.")]]),
        transcribe: () => ({ text: "How is the weather in Paris?" })
      })
      const agent = new RealtimeAgent({ name: "concierge", instructions: "Be brief.", tools: [weather] })
      const { session, until, history } = yield* agentsClient(server, agent, listening)
      let audioBytes = 0
      session.on("audio", ({ data }) => {
        audioBytes += data.byteLength
      })
      session.sendAudio(aTurn())
      expect(yield* until("ToolEnded")).toMatchObject({ result: "sunny in Paris" })
      yield* until("Said", ({ text }) => text === "It is sunny.")
      // 60 ms for each of 12 characters, at 48 bytes a millisecond.
      expect(audioBytes).toBe(12 * 60 * 48)
      expect(history()).toMatchObject([
        { role: "user", content: [{ type: "input_audio", transcript: "How is the weather in Paris?" }] },
        { type: "function_call" },
        { role: "assistant", content: [{ type: "output_audio", transcript: "It is sunny." }] }
      ])
      expect(yield* (yield* server.connection).refused).toEqual([])
    })
  )

  it.scopedLive("is interrupted by the user's voice, truncates what was not heard, and goes on", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        mind: script([[say("Once upon a time there was a king who had a daughter."), stall], [say("As you wish.")]])
      })
      const agent = new RealtimeAgent({ name: "narrator" })
      const { session, until } = yield* agentsClient(server, agent, listening)
      session.sendMessage("Tell me a story.")
      yield* until("AudioStarted")
      session.sendAudio(aTurn())
      yield* until("AudioInterrupted")
      yield* until("Said", ({ text }) => text === "As you wish.")
      const connection = yield* server.connection
      expect((yield* connection.received).map(({ type }) => type)).toContain("conversation.item.truncate")
      expect(yield* connection.refused).toEqual([])
      expect(yield* connection.conversation).toMatchObject([
        { role: "user" },
        { role: "assistant", status: "incomplete", content: [{ transcript: "" }] },
        { role: "user", content: [{ type: "input_audio" }] },
        { role: "assistant", status: "completed" }
      ])
    })
  )

  it.scopedLive("is asked to approve the call of an MCP tool, which then runs", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        mind: script([
          [
            mcpListTools("shop", [{ name: "pay" }, { name: "price" }]),
            mcpCall("shop", "price", { item: "tea" }, { output: "3" })
          ],
          [mcpApprovalRequest("shop", "pay", { amount: 3 }, { output: "paid" })],
          [say("Paid.")]
        ])
      })
      const { session, until } = yield* agentsClient(server, new RealtimeAgent({ name: "cashier" }))
      const outputs: Array<string | null> = []
      session.on("mcp_tool_call_completed", (_context, _agent, { output }) => outputs.push(output))
      session.sendMessage("One tea, please.")
      const { approve } = yield* until("ApprovalRequested")
      yield* Effect.promise(approve)
      yield* until("Said", ({ text }) => text === "Paid.")
      expect(outputs).toEqual(["3", "paid"])
      expect(yield* (yield* server.connection).refused).toEqual([])
    })
  )
})

describe("OpenAIRealtimeWS of the openai package, by voice", () => {
  it.scopedLive("holds a conversation in G.711, and pushes to talk", () =>
    Effect.gen(function* () {
      const server = yield* serveTls({
        mind: script([[say("Hello.")]]),
        transcribe: ({ durationMs }) => ({ text: `${durationMs} ms of voice` })
      })
      const client = yield* openAiClient(server)
      yield* client.send({
        type: "session.update",
        session: {
          type: "realtime",
          audio: {
            input: {
              format: { type: "audio/pcmu" },
              transcription: { model: "gpt-4o-transcribe" },
              turn_detection: null
            },
            output: { format: { type: "audio/pcma" } }
          }
        }
      })
      yield* client.until("session.updated")
      const audio = Buffer.alloc(8 * 700, 0x80).toString("base64")
      yield* client.send({ type: "input_audio_buffer.append", audio })
      yield* client.send({ type: "input_audio_buffer.commit" })
      const heard = yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(heard.transcript).toBe("700 ms of voice")
      yield* client.send({ type: "response.create" })
      const events = yield* client.through("response.done")
      const bytes = events.flatMap((event) =>
        event.type === "response.output_audio.delta" ? [Buffer.from(event.delta, "base64").length] : []
      )
      expect(bytes.reduce((sum, length) => sum + length, 0)).toBe(6 * 60 * 8)
      expect(yield* (yield* server.connection).refused).toEqual([])
    })
  )
})
