import { describe, expect, it } from "@effect/vitest"
import { OpenAIRealtimeSIP, RealtimeAgent, tool } from "@openai/agents-realtime"
import * as Effect from "effect/Effect"
import OpenAI from "openai"
import { z } from "zod"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { agentsClient } from "./clients.js"

const { call, say, script } = EmbeddedRealtime

const weather = tool({
  name: "get_weather",
  description: "Current weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`
})

const agent = new RealtimeAgent({ name: "concierge", instructions: "Be brief.", tools: [weather] })

describe("The embedded server, judged by the official SDKs", () => {
  it.scopedLive("serves OpenAIRealtimeSIP beside a call that openai accepted, until it hangs up", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        mind: script([[call("get_weather", { city: "Paris" })], [say("It is sunny.")]])
      })
      const ringing = yield* server.ring
      const { realtime } = new OpenAI({ apiKey: "sk-test", baseURL: server.baseUrl })
      yield* Effect.promise(async () => {
        const { type: _, ...session } = await OpenAIRealtimeSIP.buildInitialConfig(agent)
        await realtime.calls.accept(ringing.id, { ...session, type: "realtime" } as never)
      })
      yield* ringing.accepted
      const { until } = yield* agentsClient(server, agent, {}, ringing.id)
      yield* ringing.userSays("How is the weather in Paris?")
      expect(yield* until("ToolEnded")).toMatchObject({ tool: "get_weather", result: "sunny in Paris" })
      yield* until("Transported", ({ type }) => type === "output_audio_buffer.started")
      yield* until("Said", ({ text }) => text === "It is sunny.")
      expect(yield* ringing.outputs).toMatchObject([{ output: "sunny in Paris" }])
      const connection = yield* server.connection
      expect(yield* connection.refused).toEqual([])
      yield* Effect.promise(() => realtime.calls.hangup(ringing.id))
      expect(yield* ringing.ended).toEqual({ _tag: "HungUp", by: "application" })
    })
  )

  it.scopedLive("gives openai what it makes and refuses: secrets, calls over WebRTC, errors", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ mind: script([]) })
      const { realtime } = new OpenAI({ apiKey: "sk-test", baseURL: server.baseUrl, maxRetries: 0 })
      const secret = yield* Effect.promise(() =>
        realtime.clientSecrets.create({ session: { type: "realtime", instructions: "Be quick." } })
      )
      expect(secret).toMatchObject({ value: expect.stringMatching(/^ek_/), session: { instructions: "Be quick." } })
      const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
      const made = yield* Effect.promise(() =>
        realtime.calls.create({ sdp, session: { type: "realtime", instructions: "Be kind." } })
      )
      expect(made.headers.get("location")).toBe("/v1/realtime/calls/rtc_1")
      expect(yield* Effect.promise(() => made.text())).toMatch(/^v=0/)
      const made1 = yield* server.nextCall
      expect(yield* made1.session).toMatchObject({ instructions: "Be kind." })
      const refused = yield* Effect.promise(() => realtime.calls.reject("rtc_9").catch((error: unknown) => error))
      expect(refused).toMatchObject({ status: 404, code: "call_id_not_found" })
      const rings = [yield* server.ring, yield* server.ring]
      yield* Effect.promise(() => realtime.calls.reject(rings[0]?.id ?? "", { status_code: 486 }))
      yield* Effect.promise(() => realtime.calls.accept(rings[1]?.id ?? "", { type: "realtime" }))
      yield* Effect.promise(() => realtime.calls.refer(rings[1]?.id ?? "", { target_uri: "tel:+1555" }))
      expect(yield* Effect.forEach(rings, ({ ended }) => ended)).toEqual([
        { _tag: "Rejected", statusCode: 486 },
        { _tag: "Referred", targetUri: "tel:+1555" }
      ])
    })
  )
})
