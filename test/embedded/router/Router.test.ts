import { describe, expect, it } from "@effect/vitest"
import * as chrono from "chrono-node/en"
import * as fc from "effect/FastCheck"
import type { FunctionTool, Part, Request } from "../../../src/embedded/Mind.js"
import { finderOf } from "../../../src/embedded/router/chrono.js"
import * as Router from "../../../src/embedded/router/Router.js"
import type { ServerItem } from "../../../src/embedded/ServerItem.js"
import { numRuns } from "../../runs.js"

const tool = (
  name: string,
  description: string,
  properties: Record<string, unknown> = {},
  required: ReadonlyArray<string> = Object.keys(properties)
): FunctionTool => ({
  name,
  description,
  parameters: { type: "object", properties, required, $defs: { Int: { type: "integer" } } }
})

const tools: ReadonlyArray<FunctionTool> = [
  tool(
    "get_weather",
    "Current weather in a city",
    {
      city: { type: "string" },
      unit: { enum: ["celsius", "fahrenheit"] }
    },
    ["city"]
  ),
  tool("set_timer", "Starts a kitchen timer", { minutes: { type: "integer" } }),
  tool("switchLight", "Turns the light of a room on or off", {
    room: { type: "string", enum: ["kitchen", "living room", "bedroom"] },
    on: { type: "boolean" }
  }),
  tool("send_email", "Sends a message by email", {
    to: { type: "string", description: "email address" },
    text: { type: "string" }
  }),
  tool(
    "book_flight",
    "Books a flight",
    {
      from: { type: "string" },
      to: { type: "string" },
      passengers: { $ref: "#/$defs/Int" }
    },
    ["from", "to"]
  ),
  tool("order_status", "Looks up where an order is", { order_id: { type: "string" } }),
  tool("read_file", "Reads a file from the disk", { path: { type: "string" } }),
  tool("search_products", "Searches the shop for products", { query: { type: "string" } }),
  tool("transfer_to_billing", "Hands the caller over to the billing agent, for invoices and refunds")
]

const user = (text: string): ServerItem => ({
  id: "u",
  object: "realtime.item",
  type: "message",
  role: "user",
  status: "completed",
  content: [{ type: "input_text", text }]
})

const called = (name: string, callId: string): ServerItem => ({
  id: `item_${callId}`,
  object: "realtime.item",
  type: "function_call",
  status: "completed",
  name,
  call_id: callId,
  arguments: "{}"
})

const gave = (callId: string, output: string): ServerItem => ({
  id: `out_${callId}`,
  object: "realtime.item",
  type: "function_call_output",
  status: "completed",
  call_id: callId,
  output
})

const request = (conversation: ReadonlyArray<ServerItem>, more: Partial<Request> = {}): Request => ({
  conversation,
  tools,
  toolChoice: { _tag: "Auto" },
  instructions: "",
  modality: "text",
  heard: () => undefined,
  origin: "client",
  responseId: "resp",
  metadata: null,
  hasSeen: () => true,
  ownInstructions: undefined,
  ...more
})

const said = (text: string): ServerItem => ({
  id: "said",
  object: "realtime.item",
  type: "message",
  role: "assistant",
  status: "completed",
  content: [{ type: "output_text", text }]
})

const find = finderOf(chrono)

const route = (request: Request) => Router.route(request, find, new Date(2026, 2, 4, 10))

const show = (part: Part): string => {
  switch (part._tag) {
    case "Call":
      return `${part.name}(${part.arguments})`
    case "Say":
      return part.text
    default:
      return part._tag
  }
}

const answer = (sentence: string) => route(request([user(sentence)])).map(show)

describe("router", () => {
  it.each([
    ["What's the weather in Paris?", ['get_weather({"city":"Paris"})']],
    ["How warm is it in New York in fahrenheit", ['get_weather({"city":"New York","unit":"fahrenheit"})']],
    ["Set a timer for ten minutes, please.", ['set_timer({"minutes":10})']],
    ["Start a timer for one and a half hours", ['set_timer({"minutes":90})']],
    ["Start the timer for half an hour", ['set_timer({"minutes":30})']],
    ["Set a timer for two hours", ['set_timer({"minutes":120})']],
    ["Turn off the light in the living room", ['switchLight({"room":"living room","on":false})']],
    ["switch the kitchen lights on", ['switchLight({"room":"kitchen","on":true})']],
    [
      'Send an email to ann@example.com saying "I am late"',
      ['send_email({"to":"ann@example.com","text":"I am late"})']
    ],
    [
      "Book a flight from Berlin to São Paulo for 3 passengers",
      ['book_flight({"from":"Berlin","to":"São Paulo","passengers":3})']
    ],
    ["Where is my order A-1042?", ['order_status({"order_id":"A-1042"})']],
    ["Please read the file notes/todo.md", ['read_file({"path":"notes/todo.md"})']],
    ["search for red running shoes", ['search_products({"query":"red running shoes"})']],
    ["I want a refund for my invoice", ["transfer_to_billing({})"]],
    [
      "What's the weather in Paris and London? And set a timer for five minutes.",
      ['get_weather({"city":"Paris"})', 'get_weather({"city":"London"})', 'set_timer({"minutes":5})']
    ],
    ["Search for salt and pepper mills", ['search_products({"query":"salt and pepper mills"})']]
  ])("%s", (sentence, calls) => {
    expect(answer(sentence)).toEqual(calls)
  })

  it("asks for what is missing instead of making it up", () => {
    expect(answer("Set a timer")).toEqual(["To set timer, I need to know: minutes. Can you tell me?"])
  })

  it("asks for what one of two requests misses when the other is done, and understands the answer", () => {
    const items = [user("What's the weather in Paris? And set a timer")]
    expect(route(request(items)).map(show)).toEqual(['get_weather({"city":"Paris"})'])
    const done = [...items, called("get_weather", "c"), gave("c", "It is sunny.")]
    const question = "It is sunny. To set timer, I need to know: minutes. Can you tell me?"
    expect(route(request(done)).map(show)).toEqual([question])
    expect(route(request([...done, said(question), user("five")])).map(show)).toEqual(['set_timer({"minutes":5})'])
  })

  it("understands the answer to a question that was cut off, but not to one that it never asked", () => {
    const whole = "To set timer, I need to know: minutes. Can you tell me?"
    for (const heard of [whole, "To set timer, I need", ""]) {
      const items = [user("Set a timer"), said(heard), user("ten minutes")]
      expect(route(request(items)).map(show)).toEqual(['set_timer({"minutes":10})'])
    }
    const other = [user("What's the weather?"), said("Breakfast is at eight."), user("Paris")]
    expect(route(request(other)).map(show)[0]).toMatch(/none of my tools fits/)
  })

  it("asks again if the user does not answer the question, and stops asking if the user drops it", () => {
    const question = "To set timer, I need to know: minutes. Can you tell me?"
    const items = [user("Set a timer"), said(question)]
    expect(route(request([...items, user("Hm, let me think")])).map(show)).toEqual([question])
    expect(route(request([...items, user("Oh, never mind")])).map(show)[0]).toMatch(/none of my tools fits/)
  })

  it("does not do what it is told not to do", () => {
    expect(answer("Don't set a timer for ten minutes")).toEqual(["All right."])
    expect(answer("I don't want to book a flight from Berlin to Paris")).toEqual(["All right."])
    expect(answer("Don't set a timer, turn off the light in the bedroom")).toEqual([
      'switchLight({"room":"bedroom","on":false})'
    ])
  })

  it("writes a date as the schema wants it, and as it was said where the schema does not say", () => {
    const fill = (property: object, name = "date") =>
      route(
        request([user("Plan the visit for tomorrow at 3pm")], {
          tools: [tool("plan_visit", "Plans a visit", { [name]: { type: "string", ...property } })]
        })
      ).flatMap((part) => (part._tag === "Call" ? Object.values(JSON.parse(part.arguments)) : [show(part)]))
    expect(fill({ format: "date" })).toEqual(["2026-03-05"])
    expect(fill({ description: "As YYYY-MM-DD" })).toEqual(["2026-03-05"])
    expect(fill({})).toEqual(["tomorrow"])
    expect(fill({ format: "time" }, "time")).toEqual(["15:00:00"])
    expect(fill({}, "time")).toEqual(["3pm"])
    const [moment = ""] = fill({ format: "date-time" }, "start")
    expect(Date.parse(String(moment))).toBe(new Date(2026, 2, 5, 15).getTime())
  })

  it("says what its limits are when no tool fits", () => {
    expect(answer("Tell me a joke about penguins")[0]).toMatch(/^I am a small offline model, and none of my tools fits/)
    expect(route(request([user("Tell me a joke")], { tools: [] })).map(show)[0]).toMatch(/small offline model/)
  })

  it("speaks outputs, whatever they look like", () => {
    const speak = (output: string) =>
      route(request([user("?"), called("get_weather", "c"), gave("c", output)])).map(show)
    expect(speak('{"temperature":21,"sky":"clear"}')).toEqual(["Temperature: 21, sky: clear."])
    expect(speak("It is sunny")).toEqual(["It is sunny."])
    expect(speak('{"error":{"type":"ToolTimedOut","message":"It did not finish."}}')).toEqual([
      "Sorry, get weather did not work: It did not finish."
    ])
    expect(speak("")).toEqual(["Done."])
    expect(speak('["a","b"]')).toEqual(["A; b."])
  })

  it("speaks the names of tools as words, and other words with underscores as they are", () => {
    const speak = (output: string) =>
      route(request([user("?"), called("book_table", "c"), gave("c", output)])).map(show)
    expect(speak("book_table found no table, so set_timer waits for file_1 of my_book_table.")).toEqual([
      "Book table found no table, so set timer waits for file_1 of my_book_table."
    ])
    expect(speak('{"error":{"type":"ToolTimedOut","message":"book_table did not finish within 20 seconds."}}')).toEqual(
      ["Sorry, book table did not work: book table did not finish within 20 seconds."]
    )
  })

  it.each([
    ["Call a taxi to the street 'Elm'.", "Elm"],
    ['Call a taxi to the street "Elm Street 5", please.', "Elm Street 5"],
    ["Call a taxi to 12 Elm Street", "12 Elm Street"]
  ])("takes what is in quotes as it is: %s", (sentence, street) => {
    const taxi = tool("call_taxi", "Calls a taxi", { street: { type: "string" } })
    expect(route(request([user(sentence)], { tools: [taxi] })).map(show)).toEqual([
      `call_taxi(${JSON.stringify({ street })})`
    ])
  })

  it("speaks about every output that arrived since it last spoke, and about none twice", () => {
    const items = [user("?"), called("a", "1"), called("b", "2"), gave("1", "One"), gave("2", "Two")]
    expect(route(request(items)).map(show)).toEqual(["One. Two."])
    expect(route(request([...items, said("One. Two."), user("Set a timer for 1 minute")])).map(show)).toEqual([
      'set_timer({"minutes":1})'
    ])
  })

  it("answers any sentence, and speaks any output, with JSON for arguments", () => {
    const vocabulary = fc.constantFrom(
      ..."set timer weather and then , . \" ' Paris from to order A-1 two hundred half a @ file .md off please ☃ constructor".split(
        " "
      )
    )
    const sentence = fc.oneof(
      fc.string(),
      fc.array(vocabulary, { maxLength: 30 }).map((words) => words.join(" "))
    )
    fc.assert(
      fc.property(sentence, fc.oneof(fc.string(), fc.json()), (text, output) => {
        const parts = [
          ...route(request([user(text)])),
          ...route(request([user(text), called("get_weather", "c"), gave("c", output)]))
        ]
        expect(parts.length).toBeGreaterThanOrEqual(2)
        for (const part of parts) {
          if (part._tag === "Say") expect(part.text.trim()).not.toBe("")
          if (part._tag === "Call") expect(() => JSON.parse(part.arguments)).not.toThrow()
        }
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("calls a tool that the request insists on", () => {
    const forced = route(request([user("hello")], { toolChoice: { _tag: "Function", name: "transfer_to_billing" } }))
    expect(forced.map(show)).toEqual(["transfer_to_billing({})"])
  })
})
