import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime"
import { z } from "zod"
import { apiKey, type Connect, instructions, toolsOf } from "./Client.js"

/** `RealtimeSession` as its documentation shows it. */
export const connect: Connect = async (url, wishes) => {
  const tools = toolsOf(wishes).map((named) =>
    tool({
      ...named,
      parameters: z.object({ step: z.number(), city: z.string() }),
      execute: async () => (await wishes.onCall?.()) ?? ""
    })
  )
  const session = new RealtimeSession(new RealtimeAgent({ name: "bench", instructions, tools }), {
    transport: new OpenAIRealtimeWebSocket({ url, useInsecureApiKey: true }),
    model: "gpt-realtime",
    tracingDisabled: true
  })
  session.on("error", (error) => {
    throw error
  })
  const { onAudio, onItem, onResponseDone } = wishes
  if (onAudio !== undefined) session.on("audio", ({ data }) => onAudio(new Uint8Array(data)))
  if (onItem !== undefined || onResponseDone !== undefined) {
    session.on("transport_event", ({ type }) => {
      if (type === "conversation.item.done") onItem?.()
      if (type === "response.done") onResponseDone?.()
    })
  }
  await session.connect({ apiKey })
  return {
    say: (text) => session.sendMessage(text),
    askForResponse: () => session.transport.sendEvent({ type: "response.create" }),
    sendAudio: (bytes) => session.sendAudio(bytes.buffer),
    commitAudio: () => session.transport.sendEvent({ type: "input_audio_buffer.commit" }),
    close: async () => session.close()
  }
}
