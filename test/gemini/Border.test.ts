import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { Border } from "../../src/gemini/Border.js"
import { problemsOf, type Settings } from "../../src/gemini/setup.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { RealtimeSession } from "../../src/protocol/SessionConfig.js"
import { numRuns, seed } from "../runs.js"

const manner = { model: "gemini-test", setup: {}, takesWordsAsInput: false }
const text: RealtimeSession = { type: "realtime", output_modalities: ["text"] }

/** A border, with what it sent and gave so far. */
const open = (session: RealtimeSession = text, more: Partial<ConstructorParameters<typeof Border>[0]> = {}) => {
  const border = new Border({ manner, prefix: "t", resumption: undefined, ...more })
  const told: Array<Record<string, unknown>> = []
  const given: Array<Record<string, unknown>> = []
  const take = ({ frames, send }: ReturnType<Border["read"]>): void => {
    for (const message of send) told.push(JSON.parse(message))
    for (const frame of frames) given.push("event" in frame ? Object(frame.event) : { ...frame })
  }
  const read = (message: object): void => take(border.read(JSON.stringify(message), {}))
  const write = (event: ClientEvent): void => take(border.write(event))
  write({ type: "session.update", session })
  read({ setupComplete: {} })
  const types = () => given.map(({ _tag, type }) => type ?? _tag)
  return { border, told, given, read, write, types }
}

const says = (word: string) => ({ serverContent: { modelTurn: { parts: [{ text: word }] } } })
const spoken = (word: string) => ({
  serverContent: {
    modelTurn: { parts: [{ inlineData: { mimeType: "audio/pcm;rate=24000", data: "AAAAAA==" } }] },
    outputTranscription: { text: word }
  }
})
const calls = (...ids: ReadonlyArray<string>) => ({
  toolCall: { functionCalls: ids.map((id) => ({ id, name: "f", args: {} })) }
})
const over = { serverContent: { turnComplete: true } }
const output = (call_id: string): ClientEvent => ({
  type: "conversation.item.create",
  item: { type: "function_call_output", call_id, output: "done" }
})
const handle = { sessionResumptionUpdate: { newHandle: "h", resumable: true } }

describe("The border with Gemini", () => {
  it("gives what comes after calls, and before their outputs, to the answer that made them", () => {
    const { given, read, write } = open({ type: "realtime" })
    read(spoken("One moment."))
    read(calls("a"))
    read(spoken(" Please."))
    read({ serverContent: { generationComplete: true } })
    read(over)
    write(output("a"))
    read(spoken("Here."))
    read(over)
    const begun = given.filter(({ type }) => type === "response.created")
    expect(begun).toHaveLength(2)
    const late = given.filter(
      ({ delta, type }) => type === "response.output_audio_transcript.delta" && delta === " Please."
    )
    const [first] = given.filter(({ type }) => type === "response.output_audio_transcript.delta")
    expect(late).toEqual([{ ...first, delta: " Please." }])
  })

  it.each([{}, { id: "" }])("answers a call that has no id of Gemini's, without one: %j", (id) => {
    const { given, read, told, write } = open()
    read({ toolCall: { functionCalls: [{ ...id, name: "f", args: {} }] } })
    const [done] = given.filter(({ type }) => type === "response.function_call_arguments.done")
    const callId = String(done?.["call_id"])
    expect(callId).not.toBe("")
    write(output(callId))
    expect(told.slice(1)).toEqual([
      { toolResponse: { functionResponses: [{ name: "f", response: { output: "done" } }] } }
    ])
  })

  it.each([{}, { name: "" }, { name: 1 }])("shows and answers a call that has no name: %j", (name) => {
    const { given, read, told, write } = open()
    read({ toolCall: { functionCalls: [{ id: "a", ...name, args: {} }] } })
    expect(given.filter(({ type }) => type === "response.output_item.done")).toMatchObject([
      { item: { type: "function_call", call_id: "a", name: "" } }
    ])
    write(output("a"))
    // Gemini takes no response whose name is empty.
    expect(told.slice(1)).toMatchObject([{ toolResponse: { functionResponses: [{ id: "a", name: "unnamed" }] } }])
  })

  it("tells another connection of a call that had no name by one that Gemini takes", () => {
    const { read, told, write } = open()
    write({
      type: "conversation.item.create",
      item: { type: "function_call", call_id: "a", name: "", arguments: "{}" }
    })
    write(output("a"))
    read(over)
    expect(told.slice(1)).toMatchObject([
      { clientContent: { turns: [{ parts: [{ functionCall: { id: "a", name: "unnamed" } }] }] } },
      { clientContent: { turns: [{ parts: [{ functionResponse: { id: "a", name: "unnamed" } }] }] } }
    ])
  })

  it("keeps what the model is told until its turn is over: it would interrupt it", () => {
    const { read, told, write } = open()
    read(says("Well"))
    write({
      type: "conversation.item.create",
      item: { type: "message", role: "system", content: [{ type: "input_text", text: "Be brief." }] }
    })
    expect(told).toHaveLength(1)
    read(over)
    expect(told[1]).toEqual({
      clientContent: { turns: [{ role: "user", parts: [{ text: "Be brief." }] }], turnComplete: false }
    })
  })

  it("asks again where the answer that should come by itself does not", () => {
    const { read, told, types, write } = open()
    read(calls("a"))
    write(output("a"))
    write({ type: "response.create", event_id: "one" })
    expect(told.map((message) => Object.keys(message)[0])).toEqual(["setup", "toolResponse"])
    write({ type: "response.create", event_id: "two" })
    expect(told.at(-1)).toEqual({ clientContent: { turnComplete: true } })
    // An answer without a word is one.
    read(over)
    expect(types().filter((type) => type === "response.done")).toHaveLength(2)
  })

  it("passes nothing on of what the model says of calls in an answer that was stopped, and interrupts none of it", () => {
    const { given, read, told, types, write } = open()
    read(says("Well"))
    write({ type: "response.cancel" })
    read(calls("a"))
    write({
      type: "conversation.item.create",
      item: { type: "message", role: "system", content: [{ type: "input_text", text: "Be brief." }] }
    })
    expect(told).toHaveLength(1)
    read(over)
    expect(told.slice(1)).toMatchObject([{ toolResponse: { functionResponses: [{ id: "a" }] } }])
    read(says("It was not run."))
    read(over)
    expect(told.slice(2)).toMatchObject([{ clientContent: { turnComplete: false } }])
    expect(types().filter((type) => type === "response.created")).toHaveLength(1)
    expect(JSON.stringify(given)).not.toContain("It was not run.")
  })

  it("answers a request that interrupts a stopped answer with what comes after that, and not with its end", () => {
    const { given, read, told, write } = open()
    read(says("Well"))
    write({ type: "response.cancel" })
    read(calls("a"))
    write({ type: "response.create", response: { metadata: { of: "mine" } } })
    expect(told.slice(1).map((message) => Object.keys(message)[0])).toEqual(["toolResponse", "clientContent"])
    read({ serverContent: { interrupted: true } })
    read(over)
    read(says("Here."))
    read(over)
    const done = given.filter(({ type }) => type === "response.done")
    expect(done).toMatchObject([
      { response: { status: "cancelled" } },
      { response: { status: "completed", metadata: { of: "mine" }, output: [{ content: [{ text: "Here." }] }] } }
    ])
  })

  it("ends a request that the user speaks into, and answers the speech", () => {
    const { given, read, write } = open()
    write({ type: "response.create", response: { metadata: { of: "mine" } } })
    write({ type: "input_audio_buffer.append", audio: "AAAAAA==" })
    read({ serverContent: { interrupted: true } })
    read(over)
    read(says("Yes?"))
    read(over)
    const done = given.filter(({ type }) => type === "response.done")
    expect(done).toMatchObject([
      { response: { status: "cancelled", metadata: { of: "mine" } } },
      { response: { status: "completed", output: [{ content: [{ text: "Yes?" }] }] } }
    ])
    expect(given.filter(({ type }) => type === "input_audio_buffer.committed")).toHaveLength(1)
  })

  it("lets the user's words be answered where the model still waited for calls of a stopped answer", () => {
    const { given, read, told, write } = open()
    read(says("Well"))
    write({ type: "response.cancel" })
    read(calls("a"))
    write({ type: "input_audio_buffer.append", audio: "AAAAAA==" })
    read({ serverContent: { inputTranscription: { text: "Hello?" } } })
    expect(told.at(-1)).toMatchObject({ toolResponse: { functionResponses: [{ id: "a" }] } })
    read(says("Hello!"))
    read(over)
    expect(given.filter(({ type }) => type === "response.done")).toMatchObject([
      { response: { status: "cancelled" } },
      { response: { status: "completed", output: [{ content: [{ text: "Hello!" }] }] } }
    ])
  })

  it("takes a turn without a word for the answer to what the user said: nobody waits for another one", () => {
    const { read, types } = open()
    read({ serverContent: { inputTranscription: { text: "Hm." } } })
    read({ serverContent: { generationComplete: true } })
    read(over)
    const speech = types().filter((type) => String(type).startsWith("input_audio_buffer."))
    expect(speech).toEqual([
      "input_audio_buffer.speech_started",
      "input_audio_buffer.speech_stopped",
      "input_audio_buffer.committed"
    ])
    expect(types().filter((type) => type === "response.done")).toHaveLength(1)
  })

  it("says once that the user pauses, and when the turn is over, that it is", () => {
    const { read, types } = open()
    const activity = (what: "START" | "END") => read({ voiceActivity: { voiceActivityType: `ACTIVITY_${what}` } })
    activity("START")
    activity("END")
    const stops = () => types().filter((type) => type === "input_audio_buffer.speech_stopped").length
    expect(stops()).toBe(1)
    read(says("Hello!"))
    read(over)
    expect(stops()).toBe(1)
    expect(types()).toContain("input_audio_buffer.committed")
  })

  it("goes on with a handle only where nothing was said after it", () => {
    const { border, read, write } = open()
    const handleNow = () => JSON.parse(border.resumption()).handle
    read(handle)
    expect([handleNow(), border.traits.conversation]).toEqual(["h", "server"])
    read(says("Hello"))
    read(handle)
    expect([handleNow(), border.traits.conversation]).toEqual([undefined, "connection"])
    read(over)
    read(handle)
    expect(handleNow()).toBe("h")
    write(output("unknown"))
    expect(handleNow()).toBe("h")
  })

  it("begins anew where Gemini does not take a handle any more, and ends where it takes no setup at all", () => {
    const resumption = () => JSON.stringify({ handle: "old" })
    const resumed = new Border({ manner, prefix: "t", resumption })
    resumed.write({ type: "session.update", session: text })
    expect(resumed.closed(1007, "Invalid handle.").code).toBe(1011)
    expect(JSON.parse(resumed.resumption())).not.toHaveProperty("handle")
    const fresh = new Border({ manner, prefix: "t", resumption: undefined })
    fresh.write({ type: "session.update", session: text })
    expect(fresh.closed(1007, "Invalid model.").code).toBe(1007)
  })

  it("counts the tokens of a turn, and passes on what it does not know", () => {
    const { given, read } = open()
    read(says("Hi"))
    read({
      ...over,
      usageMetadata: {
        promptTokenCount: 7,
        responseTokenCount: 2,
        thoughtsTokenCount: 1,
        totalTokenCount: 10,
        promptTokensDetails: [{ modality: "AUDIO", tokenCount: 5 }]
      },
      somethingNew: { a: 1 }
    })
    expect(given.findLast(({ type }) => type === "response.done")).toMatchObject({
      response: {
        usage: { total_tokens: 10, input_tokens: 7, output_tokens: 3, input_token_details: { audio_tokens: 5 } }
      }
    })
    expect(given.at(-1)).toMatchObject({ somethingNew: { a: 1 } })
  })

  it.each<{ readonly settings: Settings; readonly param: string }>([
    { settings: { tool_choice: "required" }, param: "session.tool_choice" },
    {
      settings: { audio: { input: { noise_reduction: { type: "near_field" } } } },
      param: "session.audio.input.noise_reduction"
    },
    { settings: { audio: { output: { speed: 1.2 } } }, param: "session.audio.output.speed" },
    { settings: { audio: { output: { voice: { id: "v" } } } }, param: "session.audio.output.voice" },
    { settings: { audio: { input: { transcription: { prompt: "x" } } } }, param: "session.audio.input.transcription" },
    {
      settings: { audio: { input: { turn_detection: { type: "server_vad", create_response: false } } } },
      param: "session.audio.input.turn_detection.create_response"
    },
    {
      settings: { audio: { input: { turn_detection: { type: "server_vad", idle_timeout_ms: 6_000 } } } },
      param: "session.audio.input.turn_detection.idle_timeout_ms"
    },
    {
      settings: { tools: [{ type: "mcp", server_label: "m", server_url: "https://m.example" }] },
      param: "session.tools"
    },
    { settings: { reasoning: { effort: "low" } }, param: "session.reasoning" },
    { settings: { prompt: { id: "p" } }, param: "session.prompt" },
    { settings: { tracing: "auto" }, param: "session.tracing" },
    { settings: { truncation: "disabled" }, param: "session.truncation" }
  ])("names a setting that Gemini does not have: $param", ({ param, settings }) => {
    const [problem] = problemsOf(settings)
    expect(problem?.param).toBe(param)
    expect(problem?.message).toContain(param)
  })

  const message = fc.oneof(
    fc.constantFrom<object>(
      says("a"),
      spoken("b"),
      over,
      handle,
      { serverContent: { generationComplete: true } },
      { serverContent: { interrupted: true } },
      { serverContent: { inputTranscription: { text: "user" } } },
      { serverContent: { outputTranscription: { text: "late" } } },
      { goAway: { timeLeft: "9s" } },
      { usageMetadata: { totalTokenCount: 1 } },
      { voiceActivity: { voiceActivityType: "ACTIVITY_START" } }
    ),
    fc.subarray(["a", "b", "c"], { minLength: 1 }).map((ids) => calls(...ids)),
    fc.subarray(["a", "b", "c"], { minLength: 1 }).map((ids) => ({ toolCallCancellation: { ids } })),
    fc.dictionary(fc.constantFrom("serverContent", "toolCall", "goAway", "usageMetadata", "other"), fc.jsonValue())
  )
  const item = { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] } as const
  const event = fc.constantFrom<ClientEvent>(
    { type: "response.create", event_id: "r", response: { metadata: { key: "r" } } },
    { type: "response.create", event_id: "p", response: { instructions: "x" } },
    { type: "response.cancel", event_id: "x" },
    { type: "conversation.item.create", event_id: "i", item },
    output("a"),
    output("b"),
    output("c"),
    { type: "input_audio_buffer.append", audio: "AAAAAAAAAAA=" },
    { type: "input_audio_buffer.append", audio: "?" },
    { type: "input_audio_buffer.commit", event_id: "c" },
    { type: "input_audio_buffer.clear", event_id: "l" },
    { type: "conversation.item.delete", event_id: "d", item_id: "item_1" }
  )
  const step = fc.oneof(
    message.map((one) => ({ one, from: "Gemini" as const })),
    event.map((one) => ({ one, from: "session" as const }))
  )

  it("has one response at a time, each with one end, and answers only calls that are open, whatever happens", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), fc.boolean(), (steps, isText, detects) => {
        const { given, read, told, write } = open({
          type: "realtime",
          output_modalities: [isText ? "text" : "audio"],
          ...(detects ? {} : { audio: { input: { turn_detection: null } } })
        })
        const waiting = new Set<string>()
        let answered = 0
        for (const { from, one } of steps) {
          const [toldBefore, givenBefore] = [told.length, given.length]
          if (from === "Gemini") read(one)
          else write(one)
          for (const { toolResponse } of told.slice(toldBefore)) {
            for (const { id, response } of Object(toolResponse).functionResponses ?? []) {
              answered += 1
              // A call of a turn that was stopped is refused by the border.
              const isOpen = from === "session" && waiting.delete(id)
              if (!isOpen) expect(response).toHaveProperty("error")
            }
          }
          for (const { callIds, item, type } of given.slice(givenBefore)) {
            if (type === "response.output_item.done" && Object(item).type === "function_call") {
              waiting.add(Object(item).call_id)
            }
            if (Array.isArray(callIds)) for (const id of callIds) expect(waiting.delete(id)).toBe(true)
          }
        }
        expect(answered).toBeLessThanOrEqual(steps.length * 3)
        let active: unknown
        const ended = new Set<unknown>()
        for (const { response, type } of given) {
          const id = Object(response).id
          if (type === "response.created") {
            expect(active).toBeUndefined()
            active = id
          }
          if (type === "response.done") {
            expect(active).toBe(id)
            expect(ended.has(id)).toBe(false)
            ended.add(id)
            active = undefined
          }
        }
        // Nothing is dropped in silence: an item is announced, or refused.
        const ids = given.filter(({ type }) => type === "conversation.item.added").map(({ item }) => Object(item).id)
        expect(new Set(ids).size).toBe(ids.length)
      }),
      { numRuns: numRuns(3_000), seed }
    )
  })
})
