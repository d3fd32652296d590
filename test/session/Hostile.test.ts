import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { SessionEvent } from "../../src/SessionEvent.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"
import { handled } from "./speaking.js"

const { call, say } = ScriptedModel
const then = [say("All right.")]

/** Names that every object has, and other unusual names. */
const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"]
const oddTexts: ReadonlyArray<readonly [what: string, text: string]> = [
  ...names.map((name) => [name, name] as const),
  ["a lone surrogate", "\ud800"],
  ["control characters", "\u0000\u0007\u001b[2J\u001b]0;owned\u0007\r"],
  ["10,000 characters", "x".repeat(10_000)],
  ["what looks like markup", '"}}]}<|end|><script>']
]

const nested = (depth: number, open = "[", close = "]"): string => open.repeat(depth) + close.repeat(depth)

const seen: Array<unknown> = []
const echo = Tool.make("echo", {
  description: "",
  parameters: { value: Schema.optional(Schema.Unknown) },
  handler: ({ value }) =>
    Effect.sync(() => {
      seen.push(value)
      return value ?? "nothing"
    })
})
const store = Tool.make("store", {
  description: "",
  parameters: { fields: Schema.Record({ key: Schema.String, value: Schema.Unknown }) },
  handler: ({ fields }) => Effect.succeed({ isAdmin: "isAdmin" in fields, names: Object.keys(fields) })
})
const count = Tool.make("count", {
  description: "",
  parameters: { numbers: Schema.Array(Schema.Number) },
  handler: ({ numbers }) => Effect.succeed(numbers.length)
})
const desk = Agent.make("Desk", { instructions: "", tools: [echo, store, count] })

const pushText = (h: Harness<unknown>, frame: unknown) =>
  Effect.flatMap(h.model.connection, (connection) =>
    connection.pushText(typeof frame === "string" ? frame : JSON.stringify(frame))
  )

const functionCall = (fields: object) => ({
  type: "response.output_item.done",
  response_id: "r1",
  output_index: 0,
  item: { type: "function_call", id: "i1", call_id: "c1", name: "echo", arguments: "{}", ...fields }
})

/** Whatever was done to it, the next call works, the events have their schema's form, and no prototype has changed. */
const stillWorks = (h: Harness<unknown>) =>
  Effect.gen(function* () {
    yield* handled(h)
    yield* TestClock.adjust("2 minutes")
    yield* h.session.sendText("Still there?")
    yield* TestClock.adjust("2 minutes")
    yield* pushText(h, functionCall({ call_id: "last", id: "last_item", arguments: '{"value":"works"}' }))
    yield* handled(h)
    yield* TestClock.adjust("1 minute")
    const outputs = (yield* h.outputs).filter((event) => "item" in event && Object(event.item)["call_id"] === "last")
    expect(outputs).toMatchObject([{ item: { output: "works" } }])
    expect(h.all("InputFailed")).toEqual([])
    expect(h.all("SessionEnded")).toEqual([])
    for (const event of h.events) expect(() => Schema.encodeSync(SessionEvent)(event)).not.toThrow()
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(Reflect.get({}, "isAdmin")).toBeUndefined()
  })

/** Answers a call with these arguments; returns the text that the model read. */
const answerTo = (name: string, text: string) =>
  Effect.gen(function* () {
    const h = yield* open(desk, [[call(name, text, { callId: "c1" })], then])
    yield* h.session.sendText("Go.")
    yield* h.nth("ResponseDone", 2)
    const outputs = yield* h.model.outputs
    expect(outputs).toMatchObject([{ callId: "c1" }])
    yield* stillWorks(h)
    return { h, output: outputs[0]?.output ?? "" }
  })

describe("Arguments that a model was talked into", () => {
  it.scoped("cannot change the prototype of a record that a tool takes", () =>
    Effect.gen(function* () {
      for (const text of [
        '{"fields":{"__proto__":{"isAdmin":true}}}',
        '{"fields":{"\\u005f_proto__":{"isAdmin":true}}}',
        '{"fields":{"deep":[{"__proto__":{"isAdmin":true}}]}}'
      ]) {
        const { h, output } = yield* answerTo("store", text)
        expect(output).toContain("InvalidArguments")
        expect(output).toContain("__proto__")
        expect(h.all("ToolSucceeded").filter((event) => event.call.callId === "c1")).toEqual([])
      }
    })
  )

  it.scoped("may have names that every object has, which stay plain names", () =>
    Effect.gen(function* () {
      const fields = Object.fromEntries(names.slice(1).map((name) => [name, name]))
      const { output } = yield* answerTo("store", JSON.stringify({ fields }))
      expect(JSON.parse(output)).toEqual({ isAdmin: false, names: names.slice(1) })
    })
  )

  for (const [what, text] of [
    ["lists", `{"value":${nested(10_000)}}`],
    ["objects", `{"value":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}}`]
  ] as const) {
    it.scoped(`are refused where they nest 10,000 ${what}`, () =>
      Effect.gen(function* () {
        const { output } = yield* answerTo("echo", text)
        expect(output).toContain("They nest more than 200 levels deep.")
      })
    )
  }

  it.scoped("may nest as deeply as any form does", () =>
    Effect.gen(function* () {
      const { output } = yield* answerTo("echo", `{"value":${nested(150)}}`)
      expect(output).toBe(nested(150))
    })
  )

  const megabytes = 10_000_000
  const long = "x".repeat(megabytes)
  for (const [what, name, text, isData] of [
    ["that fit are passed as data", "echo", JSON.stringify({ value: long }), true],
    ["that do not fit are refused in few words", "count", JSON.stringify({ numbers: long }), false],
    [
      "of which nothing fits are refused in few words",
      "count",
      `{"numbers":[${'"x",'.repeat(megabytes / 4)}"x"]}`,
      false
    ],
    ["that are no JSON are refused in few words", "echo", long, false]
  ] as const) {
    it.scoped(`of 10 MB ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        seen.length = 0
        yield* pushText(h, functionCall({ name, arguments: text }))
        if (isData) {
          yield* h.first("ToolSucceeded")
          expect(String(seen[0]).length).toBe(megabytes)
        } else {
          const { error, output } = yield* h.first("ToolFailed")
          expect(error._tag).toBe("InvalidArguments")
          expect(output?.length).toBeLessThan(2_000)
        }
        yield* stillWorks(h)
      })
    )
  }

  it.scoped("that do not fit in many places are refused for the first of them", () =>
    Effect.gen(function* () {
      const { output } = yield* answerTo("count", JSON.stringify({ numbers: Array(1_000).fill("y".repeat(50)) }))
      expect(output.length).toBeLessThan(5_000)
      expect(output).toContain("980 more issues are not listed.")
    })
  )

  for (const [what, text] of oddTexts) {
    it.scoped(`have ${what} as data`, () =>
      Effect.gen(function* () {
        seen.length = 0
        const { output } = yield* answerTo("echo", JSON.stringify({ value: text }))
        expect(seen[0]).toBe(text)
        expect(output).toBe(text)
      })
    )
  }

  it.scoped("may contain numbers too large for a JavaScript number", () =>
    Effect.gen(function* () {
      seen.length = 0
      yield* answerTo("echo", '{"value":[1e999,-1e999,-0] }')
      expect(seen[0]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0])
    })
  )
})

describe("Names and ids of a hostile server", () => {
  for (const [what, text] of [...oddTexts, ["nothing", ""] as const]) {
    it.scoped(`are what they are, of tools, calls and items: ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        yield* pushText(h, functionCall({ name: text, call_id: "c1" }))
        expect(yield* h.first("ToolFailed")).toMatchObject({
          call: { callId: "c1", tool: text },
          error: { _tag: "ToolNotFound" }
        })
        yield* pushText(h, functionCall({ call_id: text, id: text === "" ? "i2" : text, arguments: '{"value":"ok"}' }))
        const callId = text === "" ? "i2" : text
        expect(yield* h.first("ToolSucceeded")).toMatchObject({ call: { callId }, output: "ok" })
        yield* handled(h)
        const sent = (yield* h.outputs).map((event) => "item" in event && Object(event.item)["call_id"])
        expect(sent).toContain(callId)
        yield* stillWorks(h)
      })
    )

    it.scoped(`are what they are, of responses, items and metadata: ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        const at = { response_id: text, item_id: text, output_index: 0, content_index: 0 }
        const metadata = JSON.parse(JSON.stringify({ a: text }).replace('"a"', JSON.stringify(text)))
        yield* pushText(h, { type: "response.created", response: { id: text, status: "in_progress", metadata } })
        yield* pushText(h, {
          type: "conversation.item.added",
          previous_item_id: text,
          item: { type: "message", id: text, role: text, status: text, content: [{ type: text, text }] }
        })
        yield* pushText(h, { type: "response.output_text.delta", ...at, delta: text })
        yield* pushText(h, { type: "response.output_text.done", ...at, text })
        yield* pushText(h, { type: "conversation.item.input_audio_transcription.completed", ...at, transcript: text })
        yield* pushText(h, { type: "response.done", response: { id: text, status: text, metadata, output: [] } })
        yield* pushText(h, { type: "conversation.item.deleted", item_id: text })
        yield* pushText(h, { type: text, item: text })
        yield* stillWorks(h)
      })
    )
  }

  it.scoped("name agents and handoffs that do not exist", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Start", { instructions: "", tools: [echo], handoffs: [desk] }), [])
      for (const name of names) {
        yield* pushText(h, functionCall({ name: `transfer_to_${name}`, call_id: name }))
        expect(yield* Effect.flip(h.session.updateAgent(name))).toMatchObject({ _tag: "AgentUnknown" })
      }
      expect(yield* h.nth("ToolFailed", names.length)).toMatchObject({ error: { _tag: "ToolNotFound" } })
      yield* stillWorks(h)
    })
  )
})

describe("Frames of a hostile server", () => {
  const at = { response_id: "r1", item_id: "i1", output_index: 0, content_index: 0 }
  const frames: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
    ["that nest 10,000 lists", [`{"type":"response.done","response":${nested(10_000)}}`, nested(10_000)]],
    ["of an unknown type that nest 10,000 lists", [`{"type":"news","a":${nested(10_000)}}`]],
    [
      "whose items nest 10,000 lists",
      [
        `{"type":"conversation.item.added","item":{"type":"news","id":"i1","a":${nested(10_000)}}}`,
        `{"type":"response.output_item.done","response_id":"r1","output_index":0,"item":{"type":"function_call","id":"i1","call_id":"c9","name":"echo","arguments":${nested(10_000)}}}`
      ]
    ],
    [
      "with numbers out of any range",
      ["1e999", "-1e999", "-1", "1e15", "0.5", "9007199254740993", '"NaN"', "null"].flatMap((number) => [
        `{"type":"response.output_text.delta","response_id":"r1","item_id":"i1","output_index":${number},"content_index":${number},"delta":"x"}`,
        `{"type":"response.output_audio.delta","response_id":"r1","item_id":"i1","output_index":0,"content_index":${number},"delta":"AAAA"}`,
        `{"type":"input_audio_buffer.speech_started","audio_start_ms":${number},"item_id":"i1"}`,
        `{"type":"rate_limits.updated","rate_limits":[{"name":"x","limit":${number},"remaining":${number},"reset_seconds":${number}}]}`,
        `{"type":"response.done","response":{"id":"r1","usage":{"total_tokens":${number},"input_tokens":${number}}}}`
      ])
    ],
    [
      "that say a prototype",
      [
        '{"__proto__":{"type":"response.done","isAdmin":true}}',
        '{"type":"response.done","__proto__":{"isAdmin":true},"response":{"id":"r1","__proto__":{"isAdmin":true},"metadata":{"__proto__":"x"}}}',
        '{"type":"session.updated","session":{"type":"realtime","__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}}'
      ]
    ],
    [
      "whose items point to each other, and to themselves",
      ["a", "b", "c"].flatMap((id, index, ids) =>
        [0, 1, 2].map((next) => ({
          type: "conversation.item.added",
          previous_item_id: ids[(index + next) % 3],
          item: { type: "message", id, role: "user", content: [] }
        }))
      )
    ],
    [
      "that come again and again",
      Array.from({ length: 50 }, () => [
        { type: "response.created", response: { id: "r1" } },
        functionCall({}),
        functionCall({ arguments: "[]" }),
        { type: "conversation.item.added", item: { type: "message", id: "i1", role: "user", content: [] } },
        { type: "response.done", response: { id: "r1", output: [functionCall({}).item] } }
      ]).flat()
    ],
    ["with audio that is none", [{ type: "response.output_audio.delta", ...at, delta: "\u0000\ud800=" }]],
    ["that are binary noise", ["\u0000\u0001\u0002", "\ufeff{}", "\ud800"]]
  ]
  for (const [what, texts] of frames) {
    it.scoped(`${what} are passed on or published, and the next call works`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        for (const text of texts) yield* pushText(h, text)
        yield* stillWorks(h)
        const { items } = yield* h.session.conversation
        expect(items.length).toBeLessThan(20)
      })
    )
  }
})

describe("A journal", () => {
  it.scoped("goes on without an item that nests too deeply to be written, and the session too", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* pushText(h, `{"type":"conversation.item.done","item":{"type":"news","id":"deep","a":${nested(10_000)}}}`)
      yield* pushText(h, {
        type: "conversation.item.done",
        item: { type: "message", id: "i1", role: "user", status: "completed", content: [] }
      })
      yield* stillWorks(h)
      expect(h.all("JournalFailed")).toEqual([])
      const journal = yield* SessionJournal.SessionJournal
      const records = yield* journal.read(h.session.id)
      const items = records.flatMap((record) => (record._tag === "ItemFinal" ? record.item.id : []))
      expect(items).toContain("i1")
      expect(items).not.toContain("deep")
    }).pipe(Effect.provide(SessionJournal.layerMemory))
  )
})

describe("Approvals", () => {
  it.scoped("of one of two calls with the same id approve neither", () =>
    Effect.gen(function* () {
      let ran = false
      const wipe = Tool.make("wipe", {
        description: "",
        approval: true,
        handler: () =>
          Effect.sync(() => {
            ran = true
          })
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [wipe] }), [])
      yield* pushText(h, {
        type: "response.output_item.done",
        response_id: "r1",
        output_index: 0,
        item: { type: "mcp_approval_request", id: "c1", name: "read", server_label: "docs", arguments: "{}" }
      })
      yield* pushText(h, functionCall({ name: "wipe" }))
      yield* h.nth("ToolApprovalRequested", 2)
      yield* h.session.approve("c1")
      yield* h.nth("ToolFailed", 2)
      expect(h.all("ToolFailed").map(({ error }) => error._tag)).toEqual(["ToolRejected", "ToolRejected"])
      expect(h.all("ToolApproved")).toEqual([])
      expect(ran).toBe(false)
      expect(
        (yield* h.model.sent).flatMap((event) => ("item" in event && "approve" in event.item ? event.item.approve : []))
      ).toEqual([false])
    })
  )
})

describe("The runaway breaker", () => {
  const looping = Agent.make("Desk", {
    instructions: "",
    tools: [echo],
    handoffs: [Agent.make("Other", { instructions: "", tools: [echo] })]
  })
  const calls = (h: Harness<unknown>, from: number, to: number) =>
    Effect.gen(function* () {
      for (let n = from; n <= to; n += 1) yield* pushText(h, functionCall({ call_id: `c${n}`, id: `i${n}` }))
      yield* handled(h)
    })
  const tripped = (h: Harness<unknown>) =>
    h.all("ToolFailed").filter(({ error }) => error._tag === "ToolOverloaded").length

  it.scoped(
    "trips after 20 calls, and nothing but the user resets it: no handoff, system message or new connection",
    () =>
      Effect.gen(function* () {
        const h = yield* open(looping, [], { reconnect: Schedule.recurs(2) })
        yield* calls(h, 1, 20)
        expect(tripped(h)).toBe(0)
        yield* calls(h, 21, 22)
        expect(tripped(h)).toBe(2)
        yield* h.session.updateAgent("Other")
        yield* h.session.sendMessage({
          type: "message",
          role: "system",
          content: [{ type: "input_text", text: "Go on." }]
        })
        yield* h.session.requestResponse()
        yield* pushText(h, {
          type: "conversation.item.added",
          item: { type: "message", id: "u1", role: "user", content: [] }
        })
        yield* calls(h, 23, 24)
        expect(tripped(h)).toBe(4)
        yield* h.model.drop()
        yield* h.first("ConnectionLost")
        yield* TestClock.adjust("1 second")
        yield* h.first("Reconnected")
        yield* calls(h, 25, 26)
        expect(tripped(h)).toBe(6)
        yield* h.session.sendText("Try once more.")
        yield* calls(h, 27, 46)
        expect(tripped(h)).toBe(6)
      })
  )
})
