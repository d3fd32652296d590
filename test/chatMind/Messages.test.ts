import { describe, expect, it } from "@effect/vitest"
import { type Asked, type ChatMessage, messagesOf, NOT_UNDERSTOOD, STILL_RUNNING } from "../../src/chatMind/Messages.js"
import type { ItemStatus, ServerItem } from "../../src/embedded/ServerItem.js"

const asked: Asked = {
  conversation: [],
  hasSeen: () => true,
  heard: () => undefined,
  instructions: "",
  modality: "text"
}

const messages = (...conversation: ReadonlyArray<ServerItem>): ReadonlyArray<ChatMessage> =>
  messagesOf({ ...asked, conversation }, "Speak.")

const says = (role: "system" | "user" | "assistant", text: string, status: ItemStatus = "completed"): ServerItem => ({
  id: "item",
  object: "realtime.item",
  type: "message",
  role,
  status,
  content: [role === "assistant" ? { type: "output_text", text } : { type: "input_text", text }]
})

const calls = (call_id: string, args = "{}", status: ItemStatus = "completed"): ServerItem => ({
  id: "item",
  object: "realtime.item",
  type: "function_call",
  status,
  name: "look",
  call_id,
  arguments: args
})

const gives = (call_id: string, output: string): ServerItem => ({
  id: "item",
  object: "realtime.item",
  type: "function_call_output",
  status: "completed",
  call_id,
  output
})

const called = (id: string, args = "{}", name = "look") => ({
  id,
  type: "function",
  function: { name, arguments: args }
})

describe("The messages of a chat", () => {
  it("begin with the instructions, and with how to speak where the answer is spoken", () => {
    const system = (instructions: string, modality: "text" | "audio") =>
      messagesOf({ ...asked, instructions, modality }, "Speak.")
    expect(system("Be kind.", "text")).toEqual([{ role: "system", content: "Be kind." }])
    expect(system("Be kind.", "audio")).toEqual([{ role: "system", content: "Be kind.\n\nSpeak." }])
    expect(system("", "audio")).toEqual([{ role: "system", content: "Speak." }])
    expect(system("", "text")).toEqual([])
  })

  it("have the outputs of calls at once behind them, whatever was said meanwhile", () => {
    expect(
      messages(
        says("user", "Paris and Rome?"),
        says("assistant", "One moment."),
        calls("a", '{"city":"Paris"}'),
        calls("b", '{"city":"Rome"}'),
        says("user", "And hurry."),
        gives("b", "Rain."),
        says("assistant", "I do."),
        gives("a", "Sun.")
      )
    ).toEqual([
      { role: "user", content: "Paris and Rome?" },
      {
        role: "assistant",
        content: "One moment.",
        tool_calls: [called("call00001", '{"city":"Paris"}'), called("call00002", '{"city":"Rome"}')]
      },
      { role: "tool", tool_call_id: "call00001", content: "Sun." },
      { role: "tool", tool_call_id: "call00002", content: "Rain." },
      { role: "user", content: "And hurry." },
      { role: "assistant", content: "I do." }
    ])
  })

  it("have what the user said while the model spoke behind what the model said", () => {
    const late = says("user", "And in Rome?")
    const conversation = [says("user", "Is it sunny?"), late, says("assistant", "It is.")]
    const hasSeen: Asked["hasSeen"] = (_, other) => other !== late
    expect(messagesOf({ ...asked, conversation, hasSeen }, "Speak.")).toEqual([
      { role: "user", content: "Is it sunny?" },
      { role: "assistant", content: "It is." },
      { role: "user", content: "And in Rome?" }
    ])
  })

  it("do not end with an answer that was cut off, for it is asked for again", () => {
    expect(messages(says("user", "Good day."), says("assistant", "Hel", "incomplete"))).toEqual([
      { role: "user", content: "Good day." }
    ])
  })

  it("say of a call without an output that it still runs", () => {
    expect(messages(calls("a"))).toEqual([
      { role: "assistant", content: null, tool_calls: [called("call00001")] },
      { role: "tool", tool_call_id: "call00001", content: STILL_RUNNING }
    ])
  })

  it("keep an output whose call was deleted, and leave out a call that was cut off", () => {
    expect(messages(gives("gone", "Sun."), calls("b", '{"ci', "incomplete"))).toEqual([
      { role: "assistant", content: null, tool_calls: [called("call00001", "{}", "unknown")] },
      { role: "tool", tool_call_id: "call00001", content: "Sun." }
    ])
  })

  it("have arguments that are JSON objects, also where the model wrote others", () => {
    const args = (text: string) => {
      const [first] = messages(calls("a", text), gives("a", "No."))
      return first?.role === "assistant" ? first.tool_calls?.[0]?.function.arguments : undefined
    }
    expect([args('{"a":1}'), args("[1]"), args('{"a"'), args("")]).toEqual([
      '{"a":1}',
      '{"value":"[1]"}',
      '{"invalid":"{\\"a\\""}',
      '{"invalid":""}'
    ])
  })

  it("alternate between the user and the assistant where nobody else speaks", () => {
    expect(
      messages(
        says("user", "Well."),
        says("user", "Good day."),
        says("assistant", "Good"),
        says("assistant", "day."),
        says("assistant", "", "incomplete"),
        says("user", "Ah.")
      )
    ).toEqual([
      { role: "user", content: "Well.\nGood day." },
      { role: "assistant", content: "Good\nday." },
      { role: "user", content: "Ah." }
    ])
  })

  it("have the part of a cut answer that was heard", () => {
    const cut = (id: string): ServerItem => ({
      id,
      object: "realtime.item",
      type: "message",
      role: "assistant",
      status: "incomplete",
      content: [{ type: "output_audio", transcript: "" }]
    })
    const heard = new Map([
      ["begun", "Once upon a"],
      ["unheard", ""]
    ])
    const conversation = [cut("begun"), says("user", "Stop."), cut("unheard"), says("user", "Stop!")]
    expect(messagesOf({ ...asked, conversation, heard: (id) => heard.get(id) }, "Speak.")).toEqual([
      { role: "assistant", content: "Once upon a…" },
      { role: "user", content: "Stop.\nStop!" }
    ])
  })

  it("have what the user said aloud, and the images", () => {
    const spoken = (transcript: string | null): ServerItem => ({
      id: "item",
      object: "realtime.item",
      type: "message",
      role: "user",
      status: "completed",
      content: [{ type: "input_audio", transcript }]
    })
    const shown: ServerItem = {
      id: "item",
      object: "realtime.item",
      type: "message",
      role: "user",
      status: "completed",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: "data:image/png;base64,AA==", detail: "low" }
      ]
    }
    expect(messages(spoken("Good day."), spoken(null))).toEqual([
      { role: "user", content: `Good day.\n${NOT_UNDERSTOOD}` }
    ])
    expect(messages(says("user", "Look."), shown)).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "Look." },
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AA==", detail: "low" } }
        ]
      }
    ])
  })

  it("have the calls of remote tools, and leave out what a chat does not know", () => {
    const call = { type: "mcp_call", id: "m", server_label: "docs", name: "search", arguments: "{}" } as const
    expect(
      messages(
        { type: "mcp_list_tools", id: "l", server_label: "docs", tools: [] },
        { ...call, output: "Found.", error: null },
        { ...call, output: null, error: { type: "http_error", code: 500, message: "Down" } },
        says("system", "The result has come.")
      )
    ).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [called("call00001", "{}", "search"), called("call00002", "{}", "search")]
      },
      { role: "tool", tool_call_id: "call00001", content: "Found." },
      {
        role: "tool",
        tool_call_id: "call00002",
        content: '{"error":{"type":"http_error","code":500,"message":"Down"}}'
      },
      { role: "system", content: "The result has come." }
    ])
  })
})
