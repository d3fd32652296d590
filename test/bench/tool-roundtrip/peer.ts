import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool as realtimeTool } from "@openai/agents-realtime"
import { z } from "zod"
import { contend, instructions, tool, userText } from "./contender.js"

/** `RealtimeSession` as its documentation shows it. */
await contend(async (url, meter) => {
  const lookup = realtimeTool({
    ...tool,
    parameters: z.object({ step: z.number(), city: z.string() }),
    execute: async () => {
      await meter.handlerStarted()
      return "ok"
    }
  })
  const session = new RealtimeSession(new RealtimeAgent({ name: "bench", instructions, tools: [lookup] }), {
    transport: new OpenAIRealtimeWebSocket({ url, useInsecureApiKey: true }),
    model: "gpt-realtime",
    tracingDisabled: true
  })
  session.on("error", (error) => {
    throw error
  })
  await session.connect({ apiKey: "sk-bench" })
  return {
    begin: () => session.sendMessage(userText),
    close: async () => session.close()
  }
})
