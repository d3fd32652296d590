import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { type Client, connect, inText, userSays, wrap } from "./client.js"

const { call, cutShort, fail, pause, say, script, stall } = EmbeddedRealtime

const start = (options: EmbeddedRealtime.Options = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make(options)
    const client = yield* connect(server.model)
    return { server, client, connection: yield* server.connection }
  })

const scripted = (...turns: ReadonlyArray<EmbeddedRealtime.Turn>) => start({ mind: script(turns) })

/** Sends an event that the server should refuse, and returns the error. */
const refusalOf = (client: Client, event: object) =>
  Effect.gen(function* () {
    yield* client.sendRaw({ event_id: "mine", ...event })
    const next = yield* client.take
    if (next.type !== "error") return yield* Effect.dieMessage(`accepted: ${next.type}`)
    return next.error
  })

const update = (session: object) => ({ type: "session.update", session: { type: "realtime", ...session } })
const item = (fields: object, more: object = {}) => ({ type: "conversation.item.create", item: fields, ...more })
const message = (fields: object = {}) => ({
  type: "message",
  role: "user",
  content: [{ type: "input_text", text: "hi" }],
  ...fields
})
const silence = (ms: number) => Buffer.alloc(ms * 48).toString("base64")

describe("session.created", () => {
  it.scoped("comes first, with the whole effective session", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.make()
      const client = wrap(yield* server.model.connect({ model: "gpt-realtime-2" }))
      const created = yield* client.take
      expect(created).toMatchObject({
        type: "session.created",
        event_id: "event_1_1",
        session: {
          type: "realtime",
          object: "realtime.session",
          id: "sess_1_1",
          model: "gpt-realtime-2",
          expires_at: 3_600,
          output_modalities: ["audio"],
          tools: [],
          tool_choice: "auto",
          audio: {
            input: { format: { type: "audio/pcm", rate: 24_000 }, turn_detection: { type: "server_vad" } },
            output: { voice: "marin" }
          }
        }
      })
    })
  )

  it.scoped("is followed by session_expired and close 1001 when the session is over", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      yield* TestClock.adjust("59 minutes")
      yield* client.send(inText)
      yield* client.until("session.updated")
      yield* TestClock.adjust("1 minute")
      const { error } = yield* client.until("error")
      expect(error).toMatchObject({ code: "session_expired", event_id: null })
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({
        code: 1001,
        reason: "Your session hit the maximum duration of 60 minutes."
      })
    })
  )
})

describe("session.update", () => {
  it.scoped("changes what is present, and clears what is empty", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      const updated = (session: object) =>
        Effect.zipRight(client.sendRaw(update(session)), client.until("session.updated"))
      const tools = [{ type: "function", name: "a", parameters: { type: "object", properties: {} } }]
      yield* updated({ instructions: "Be kind.", tools })
      const second = yield* updated({ audio: { output: { speed: 1.2 } } })
      expect(second.session).toMatchObject({
        instructions: "Be kind.",
        tools,
        audio: { input: { turn_detection: { type: "server_vad" } }, output: { speed: 1.2, voice: "marin" } }
      })
      const third = yield* updated({ instructions: "", tools: [], audio: { input: { turn_detection: null } } })
      expect(third.session).toMatchObject({
        instructions: "",
        tools: [],
        audio: { input: { turn_detection: null, format: { type: "audio/pcm" } }, output: { speed: 1.2 } }
      })
      const fourth = yield* updated({
        audio: { input: { turn_detection: { type: "semantic_vad", eagerness: "low" } } }
      })
      expect(fourth.session).toMatchObject({
        audio: { input: { turn_detection: { type: "semantic_vad", eagerness: "low", interrupt_response: true } } }
      })
    })
  )

  it.scoped("ignores another model", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      yield* client.sendRaw(update({ model: "gpt-realtime-mini" }))
      expect((yield* client.until("session.updated")).session).toMatchObject({ model: "gpt-realtime" })
    })
  )

  it.scoped("is refused as a whole for one bad field", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      const cases: ReadonlyArray<readonly [object, string, string]> = [
        [{ temperature: 0.8 }, "unknown_parameter", "session.temperature"],
        [{ audio: { input: { rate: 1 } } }, "unknown_parameter", "session.audio.input.rate"],
        [{ output_modalities: ["text", "audio"] }, "invalid_value", "session.output_modalities"],
        [{ output_modalities: ["smell"] }, "invalid_value", "session.output_modalities[0]"],
        [{ instructions: 7 }, "invalid_type", "session.instructions"],
        [{ audio: { output: { speed: 9 } } }, "decimal_above_max_value", "session.audio.output.speed"],
        [
          { audio: { input: { format: { type: "audio/pcm", rate: 16_000 } } } },
          "integer_below_min_value",
          "session.audio.input.format.rate"
        ],
        [{ reasoning: { effort: "low" } }, "unsupported_parameter", "session.reasoning"],
        [{ tools: [{ type: "function", name: "a", meta: {} }] }, "unknown_parameter", "session.tools[0].meta"],
        [{ tools: [{ type: "function", name: "get weather" }] }, "invalid_value", "session.tools[0].name"],
        [{ tools: [{ type: "function", name: "a".repeat(65) }] }, "invalid_value", "session.tools[0].name"],
        [{ tools: [{ type: "function" }] }, "missing_required_parameter", "session.tools[0].name"],
        [
          {
            tools: [
              { type: "function", name: "a" },
              { type: "function", name: "a" }
            ]
          },
          "invalid_value",
          "session.tools[1].name"
        ],
        [{ type: "transcription" }, "invalid_parameter", "session.type"]
      ]
      for (const [session, code, param] of cases) {
        const error = yield* refusalOf(client, update({ instructions: "new", ...session }))
        expect(error).toMatchObject({ type: "invalid_request_error", code, param, event_id: "mine" })
      }
      expect(yield* connection.session).toMatchObject({ instructions: "" })
      expect(yield* connection.refused).toHaveLength(cases.length)
    })
  )

  it.scoped("is refused as a whole for one function whose parameters are not in the API's JSON Schema", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      const field = (schema: unknown) => ({ type: "object", properties: { when: schema } })
      const cases: ReadonlyArray<readonly [unknown, string, string?]> = [
        [{}, `schema must be a JSON Schema of 'type: "object"', got 'type: "None"'.`],
        [{ type: "array", items: {} }, `schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.`],
        [
          { ...field({}), anyOf: [] },
          "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'const'/'not' at the top level."
        ],
        [{ type: "object" }, "In context=(), object schema missing properties."],
        [field({ type: "array" }), "In context=('properties', 'when'), array schema missing items."],
        [
          field({ type: "array", prefixItems: [{ type: "string" }] }),
          "In context=('properties', 'when'), array schema missing items."
        ],
        [
          field({ anyOf: [{ type: "string" }, { type: "array" }] }),
          "In context=('properties', 'when', 'anyOf', '1'), array schema missing items."
        ],
        [
          field({ type: "array", items: [{ type: "string" }] }),
          `In context=('properties', 'when', 'items'), [{"type":"string"}] is not of type 'object', 'boolean'.`
        ],
        [
          field({ type: "date" }),
          `In context=('properties', 'when'), "date" is not valid under any of the given schemas.`
        ],
        [
          field({ $ref: "#/$defs/Gone" }),
          "In context=('properties', 'when'), reference to component '#/$defs/Gone' which was not found in the schema."
        ],
        [
          field({ type: "string", pattern: "^\\p{L}+$" }),
          "In context=('properties', 'when'), '^\\p{L}+$' is not a 'regex'."
        ],
        [
          field({ type: "string", pattern: "^(?!a)" }),
          "Invalid JSON schema: regex lookaround is not supported. Found at $.properties.when.pattern.",
          "invalid_json_schema"
        ]
      ]
      const good = { type: "function", name: "good", parameters: field({ type: "string" }) }
      for (const [parameters, reason, code = "invalid_function_parameters"] of cases) {
        const tools = [good, { type: "function", name: "bad", parameters }]
        expect(yield* refusalOf(client, update({ instructions: "new", tools }))).toMatchObject({
          type: "invalid_request_error",
          code,
          message: `Invalid schema for function 'bad': ${reason}`,
          param: "session.tools[1].parameters"
        })
      }
      expect(yield* connection.session).toMatchObject({ instructions: "", tools: [] })
    })
  )

  it.scoped("takes another voice until something was said aloud", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([say("Hello.")])
      const voice = (name: string) => update({ audio: { output: { voice: name } } })
      yield* client.sendRaw(voice("cedar"))
      yield* client.until("session.updated")
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
      expect(yield* refusalOf(client, voice("ash"))).toMatchObject({ code: "cannot_update_voice" })
      yield* client.sendRaw(voice("cedar"))
      yield* client.until("session.updated")
    })
  )
})

describe("a frame that is not an event", () => {
  it.scoped("is answered with an error, and the connection stays", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      expect(yield* refusalOf(client, { type: "response.dance" })).toMatchObject({
        type: "invalid_request_error",
        code: "invalid_value",
        param: "type",
        event_id: "mine"
      })
      expect(yield* refusalOf(client, {})).toMatchObject({ code: "missing_required_parameter", param: "type" })
      expect(yield* refusalOf(client, { type: "__proto__" })).toMatchObject({ code: "invalid_value", param: "type" })
      yield* client.sendRaw([])
      expect((yield* client.until("error")).error).toMatchObject({ code: "invalid_event", event_id: null })
      yield* client.send(inText)
      yield* client.until("session.updated")
    })
  )
})

describe("conversation.item.create", () => {
  it.scoped("puts an item where it belongs, and says after which one it is", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      const put = (id: string, previous?: string) =>
        Effect.gen(function* () {
          yield* client.sendRaw(item(message({ id }), previous === undefined ? {} : { previous_item_id: previous }))
          const added = yield* client.until("conversation.item.added")
          const done = yield* client.until("conversation.item.done")
          expect(done.previous_item_id).toBe(added.previous_item_id)
          expect(added.item).toMatchObject({ id, object: "realtime.item", status: "completed" })
          return added.previous_item_id
        })
      expect(yield* put("b")).toBe(null)
      expect(yield* put("d")).toBe("b")
      expect(yield* put("c", "b")).toBe("b")
      expect(yield* put("a", "root")).toBe(null)
      expect((yield* connection.conversation).map(({ id }) => id)).toEqual(["a", "b", "c", "d"])
    })
  )

  it.scoped.each<{ readonly title: string; readonly given: object; readonly shown?: object }>([
    { title: "a system message", given: message({ role: "system" }) },
    { title: "a user's message", given: message() },
    {
      title: "a user's spoken message",
      given: message({ content: [{ type: "input_audio", audio: "", transcript: "hello" }] }),
      shown: { content: [{ type: "input_audio", transcript: "hello" }] }
    },
    {
      title: "an assistant's message",
      given: message({ role: "assistant", content: [{ type: "output_text", text: "Hello." }] })
    },
    {
      title: "an incomplete assistant's message",
      given: message({ role: "assistant", status: "incomplete", content: [{ type: "output_text", text: "Hel" }] })
    },
    { title: "a call", given: { type: "function_call", name: "a", arguments: '{"n":1}', call_id: "call_mine" } },
    { title: "an output", given: { type: "function_call_output", call_id: "call_before", output: "42" } }
  ])("takes $title under the id that the client gives it, and no second one", ({ given, shown }) =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      yield* client.sendRaw(item({ type: "function_call", name: "a", arguments: "{}", call_id: "call_before" }))
      yield* client.until("conversation.item.done")
      const id = "x".repeat(32)
      const complete = { status: "completed", ...given, ...shown, id, object: "realtime.item" }
      yield* client.sendRaw(item({ ...given, id }))
      expect((yield* client.until("conversation.item.added")).item).toEqual(complete)
      expect((yield* client.until("conversation.item.done")).item).toEqual(complete)
      expect((yield* connection.conversation).at(-1)).toEqual(complete)
      expect(yield* refusalOf(client, item({ ...given, id }))).toMatchObject({
        code: "item_create_duplicate_id",
        param: "item.id"
      })
      expect(yield* refusalOf(client, item({ ...given, id: `${id}x` }))).toMatchObject({
        code: "string_above_max_length",
        param: "item.id"
      })
      expect(yield* connection.conversation).toHaveLength(2)
    })
  )

  it.scoped("refuses what the real API refuses", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      yield* client.sendRaw(item(message({ id: "taken" })))
      yield* client.until("conversation.item.done")
      const cases: ReadonlyArray<readonly [object, string]> = [
        [item(message({ id: "x".repeat(33) })), "string_above_max_length"],
        [item(message({ id: "taken" })), "item_create_duplicate_id"],
        [item(message(), { previous_item_id: "nobody" }), "invalid_value"],
        [item({ type: "function_call_output", call_id: "nobody", output: "" }), "invalid_tool_call_id"],
        [
          item({ type: "function_call", name: "a", arguments: "{}", call_id: "x".repeat(33) }),
          "string_above_max_length"
        ],
        [item({ type: "message", role: "assistant", content: [{ type: "output_audio", audio: "" }] }), "invalid_value"],
        [item({ type: "message", role: "assistant", content: [{ type: "text", text: "" }] }), "invalid_value"],
        [item({ type: "message", role: "robot", content: [] }), "invalid_value"],
        [item({ type: "thought" }), "invalid_value"],
        [{ type: "conversation.item.create" }, "missing_required_parameter"]
      ]
      for (const [event, code] of cases)
        expect(yield* refusalOf(client, event)).toMatchObject({ code, event_id: "mine" })
      expect(
        (yield* refusalOf(client, item({ type: "function_call_output", call_id: "call_x", output: "" }))).message
      ).toBe("Tool call ID 'call_x' not found in conversation.")
      expect(yield* connection.conversation).toHaveLength(1)
    })
  )

  it.scoped("takes a replayed call and its output, and counts an output that comes twice", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      yield* client.sendRaw(item({ type: "function_call", name: "a", arguments: "{}", call_id: "old" }))
      for (const output of ["one", "two"]) {
        yield* client.sendRaw(item({ type: "function_call_output", call_id: "old", output }))
        yield* client.until("conversation.item.done")
      }
      yield* client.until("conversation.item.done")
      expect(yield* connection.outputs).toEqual([
        { callId: "old", output: "one" },
        { callId: "old", output: "two" }
      ])
    })
  )

  it.scoped("keeps its own ids apart from those that a client brings along", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      yield* client.sendRaw(item(message({ id: "item_1_1" })))
      yield* client.sendRaw(item(message()))
      yield* client.until("conversation.item.done")
      expect((yield* client.until("conversation.item.done")).item).toMatchObject({ id: "item_1_2" })
    })
  )
})

describe("conversation.item.retrieve and delete", () => {
  it.scoped("return and delete an item, or say that it does not exist", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      yield* client.sendRaw(item(message({ id: "a" })))
      yield* client.send({ type: "conversation.item.retrieve", item_id: "a" })
      expect((yield* client.until("conversation.item.retrieved")).item).toMatchObject({ id: "a" })
      yield* client.send({ type: "conversation.item.delete", item_id: "a" })
      expect((yield* client.until("conversation.item.deleted")).item_id).toBe("a")
      expect(yield* connection.conversation).toEqual([])
      for (const verb of ["retrieve", "delete"]) {
        const error = yield* refusalOf(client, { type: `conversation.item.${verb}`, item_id: "a" })
        expect(error.code).toBe(`item_${verb}_invalid_item_id`)
      }
    })
  )
})

describe("the input audio buffer", () => {
  it.scoped("becomes an item when 100 ms or more are committed", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      yield* client.send({ type: "input_audio_buffer.append", audio: silence(99) })
      expect(yield* refusalOf(client, { type: "input_audio_buffer.commit" })).toMatchObject({
        code: "input_audio_buffer_commit_empty",
        event_id: "mine"
      })
      yield* client.send({ type: "input_audio_buffer.append", audio: silence(1) })
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect(yield* client.typesUntil("conversation.item.done")).toEqual([
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done"
      ])
      yield* client.send({ type: "input_audio_buffer.append", audio: silence(500) })
      yield* client.send({ type: "input_audio_buffer.clear" })
      yield* client.until("input_audio_buffer.cleared")
      expect((yield* refusalOf(client, { type: "input_audio_buffer.commit" })).code).toBe(
        "input_audio_buffer_commit_empty"
      )
      expect((yield* refusalOf(client, { type: "input_audio_buffer.append", audio: "no base64!" })).code).toBe(
        "invalid_value"
      )
    })
  )

  it.scoped("reports a user's turn, its transcript where the session wants one, and a response", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start({ mind: script([[say("Hi.")]]) })
      yield* client.sendRaw(update({ audio: { input: { transcription: { model: "whisper-1" } } } }))
      yield* client.until("session.updated")
      yield* connection.userSays("good morning")
      const started = yield* client.until("input_audio_buffer.speech_started")
      expect((yield* client.until("conversation.item.done")).item).toMatchObject({
        id: started.item_id,
        content: [{ type: "input_audio", transcript: null }]
      })
      const heard = yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(heard).toMatchObject({ item_id: started.item_id, transcript: "good morning" })
      yield* client.until("response.done")
    })
  )
})

describe("response.create", () => {
  it.scoped("sends text in the order of the real API", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([say("It is sunny.")])
      yield* client.send(inText)
      yield* client.until("session.updated")
      yield* client.send({ type: "response.create", response: { metadata: { mine: "1" } } })
      const created = yield* client.take
      expect(created).toMatchObject({
        type: "response.created",
        response: {
          id: "resp_1_1",
          status: "in_progress",
          output: [],
          metadata: { mine: "1" },
          conversation_id: "conv_1_1"
        }
      })
      expect(yield* client.typesUntil("response.done")).toEqual([
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done"
      ])
    })
  )

  it.scoped("sends transcripts when audio is asked for, and usage at the end", () =>
    Effect.gen(function* () {
      const { client } = yield* start({
        mind: script([[say("It is sunny.")]]),
        voice: EmbeddedRealtime.silentVoice(0)
      })
      yield* client.send(userSays("weather?"))
      yield* client.send({ type: "response.create" })
      const part = yield* client.until("response.content_part.added")
      expect(part.part).toEqual({ type: "audio", transcript: "" })
      expect(yield* client.typesUntil("response.done")).toEqual([
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done"
      ])
      yield* client.send({ type: "response.create" })
      const done = yield* client.until("response.done")
      expect(done.response).toMatchObject({ status: "completed", status_details: null, metadata: null })
      // "weather?" and "It is sunny." are 2 and 3 tokens of about 4 characters.
      expect(done.response.usage?.input_tokens).toBe(5)
    })
  )

  it.scoped("sends calls with their arguments in pieces, several of them in one response", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* scripted([
        say("Let me look."),
        call("a", { city: "Paris" }, { callId: "one" }),
        call("b", "not json")
      ])
      yield* client.send({ type: "response.create" })
      yield* client.until("response.output_item.done")
      yield* client.until("conversation.item.done")
      expect(yield* client.typesUntil("conversation.item.done")).toEqual([
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done"
      ])
      const done = yield* client.until("response.done")
      expect(done.response.output).toMatchObject([
        { type: "message", status: "completed" },
        { type: "function_call", name: "a", call_id: "one", arguments: '{"city":"Paris"}', status: "completed" },
        { type: "function_call", name: "b", call_id: "call_1_1", arguments: "not json", status: "completed" }
      ])
      expect(yield* connection.conversation).toHaveLength(3)
    })
  )

  it.scoped("is refused while another one is active on the default conversation, and runs beside it out of band", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* scripted([stall], [say("Beside.")])
      yield* client.send({ type: "response.create" })
      yield* client.until("rate_limits.updated")
      expect(yield* refusalOf(client, { type: "response.create" })).toMatchObject({
        code: "conversation_already_has_active_response",
        message:
          "Conversation already has an active response in progress: resp_1_1. Wait until the response is finished before creating a new one.",
        event_id: "mine"
      })
      yield* client.send({
        type: "response.create",
        response: { conversation: "none", output_modalities: ["text"], metadata: { topic: "aside" } }
      })
      const done = yield* client.until("response.done")
      expect(done.response).toMatchObject({ id: "resp_1_2", conversation_id: null, metadata: { topic: "aside" } })
      expect(yield* connection.conversation).toEqual([])
    })
  )

  it.scoped("gives the mind what the request says, in place of what the session says", () =>
    Effect.gen(function* () {
      const seen: Array<EmbeddedRealtime.Request> = []
      const { client } = yield* start({
        mind: EmbeddedRealtime.fromFunction((_, __, request) => {
          seen.push(request)
          return [say("Yes.")]
        })
      })
      yield* client.sendRaw(update({ instructions: "session", tools: [{ type: "function", name: "a" }] }))
      yield* client.sendRaw(item(message({ id: "first" })))
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
      yield* client.send({
        type: "response.create",
        response: {
          instructions: "mine",
          tools: [{ type: "function", name: "b" }],
          tool_choice: "required",
          output_modalities: ["text"],
          input: [
            { type: "item_reference", id: "first" },
            { type: "function_call", name: "c", arguments: "{}" }
          ]
        }
      })
      yield* client.until("response.done")
      yield* client.send({ type: "response.create", response: { tool_choice: "none", input: [] } })
      yield* client.until("response.done")
      expect(seen).toMatchObject([
        { instructions: "session", tools: [{ name: "a" }], modality: "audio", conversation: [{ id: "first" }] },
        {
          instructions: "mine",
          tools: [{ name: "b" }],
          toolChoice: { _tag: "Required" },
          modality: "text",
          conversation: [{ id: "first" }, { type: "function_call" }]
        },
        { tools: [], conversation: [] }
      ])
    })
  )

  it.scoped("is refused for invalid parameters", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      const cases: ReadonlyArray<readonly [object, string, string]> = [
        [{ modalities: ["text"] }, "unknown_parameter", "response.modalities"],
        [{ conversation: "other" }, "invalid_value", "response.conversation"],
        [{ metadata: { key: "x".repeat(513) } }, "string_above_max_length", "response.metadata.key"],
        [{ input: [{ type: "item_reference", id: "nobody" }] }, "item_not_found", "response.input[0].id"],
        [{ tool_choice: { type: "function", name: "nobody" } }, "invalid_value", "response.tool_choice"],
        [{ max_output_tokens: 5_000 }, "integer_above_max_value", "response.max_output_tokens"]
      ]
      for (const [response, code, param] of cases) {
        expect(yield* refusalOf(client, { type: "response.create", response })).toMatchObject({ code, param })
      }
    })
  )

  it.scoped("ends as failed, incomplete or broken where the mind says so", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(
        [say("One."), fail("server_error")],
        [say("Two."), cutShort("content_filter")],
        () => {
          throw new Error("boom")
        },
        [say("four words are said")]
      )
      const respond = (response: object = {}) =>
        Effect.gen(function* () {
          yield* client.sendRaw({ type: "response.create", response })
          return (yield* client.until("response.done")).response
        })
      expect(yield* respond()).toMatchObject({
        status: "failed",
        status_details: { type: "failed", error: { code: "server_error" } },
        output: [{ status: "completed" }]
      })
      expect(yield* respond()).toMatchObject({
        status: "incomplete",
        status_details: { reason: "content_filter" },
        output: [{ status: "incomplete" }]
      })
      const broken = yield* respond()
      expect(broken.status).toBe("failed")
      expect(broken.status_details?.error?.message).toContain("boom")
      expect(yield* respond({ max_output_tokens: 2 })).toMatchObject({
        status: "incomplete",
        status_details: { reason: "max_output_tokens" },
        output: [{ status: "incomplete" }]
      })
    })
  )
})

describe("response.cancel", () => {
  const slow = (...parts: ReadonlyArray<EmbeddedRealtime.Part>) => start({ mind: script([parts]), pace: "100 millis" })

  it.scoped("takes effect in the middle of a message", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* slow(say("one two three four"))
      yield* client.send({ type: "response.create" })
      yield* client.until("rate_limits.updated")
      yield* TestClock.adjust("400 millis")
      yield* client.send({ type: "response.cancel" })
      expect(yield* client.typesUntil("response.content_part.added")).toHaveLength(3)
      expect(yield* client.typesUntil("response.output_item.done")).toEqual([
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done"
      ])
      const { response } = yield* client.until("response.done")
      expect(response).toMatchObject({
        status: "cancelled",
        status_details: { type: "cancelled", reason: "client_cancelled" },
        output: [{ status: "incomplete", content: [{ transcript: "one two" }] }]
      })
      yield* TestClock.adjust("1 minute")
      expect(client.connection.frames).toHaveLength(0)
      expect(yield* connection.conversation).toMatchObject([{ status: "incomplete" }])
    })
  )

  it.scoped("leaves a call incomplete, with its arguments done event", () =>
    Effect.gen(function* () {
      const { client } = yield* slow(call("get_weather", { city: "Paris" }))
      yield* client.send({ type: "response.create" })
      const { response: active } = yield* client.until("response.created")
      yield* TestClock.adjust("200 millis")
      yield* client.sendRaw({ type: "response.cancel", response_id: active.id })
      expect((yield* client.until("response.function_call_arguments.done")).arguments).toBe('{"city":')
      expect((yield* client.until("response.output_item.done")).item).toMatchObject({ status: "incomplete" })
      expect((yield* client.until("response.done")).response.status).toBe("cancelled")
    })
  )

  it.scoped("without an active response is refused, and harmless", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([say("One.")])
      expect(yield* refusalOf(client, { type: "response.cancel" })).toMatchObject({
        code: "response_cancel_not_active",
        event_id: "mine"
      })
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
    })
  )

  it.scoped("happens by itself when the user begins to speak, unless the session forbids it", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* scripted([say("One."), stall], [say("Two."), pause(Duration.seconds(1))])
      yield* client.send({ type: "response.create" })
      yield* client.until("conversation.item.done")
      yield* connection.speechStarts
      yield* client.until("input_audio_buffer.speech_started")
      expect((yield* client.until("response.done")).response).toMatchObject({
        status: "cancelled",
        status_details: { reason: "turn_detected" },
        output: [{ status: "completed" }]
      })
      yield* client.sendRaw(
        update({ audio: { input: { turn_detection: { type: "server_vad", interrupt_response: false } } } })
      )
      yield* client.until("session.updated")
      yield* client.send({ type: "response.create" })
      yield* client.until("conversation.item.done")
      yield* connection.speechStarts
      yield* client.until("input_audio_buffer.speech_started")
      yield* TestClock.adjust("1 second")
      expect((yield* client.until("response.done")).response.status).toBe("completed")
    })
  )
})

describe("conversation.item.truncate", () => {
  const voice: EmbeddedRealtime.Voice = EmbeddedRealtime.silentVoice("50 millis")

  it.scoped("cuts what was said aloud, and never makes it longer", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start({ mind: script([[say("Hello you.")]]), voice })
      yield* client.send({ type: "response.create" })
      const delta = yield* client.until("response.output_audio.delta")
      // 50 ms for each of the 10 characters, at 48 bytes a millisecond.
      expect(Buffer.from(delta.delta, "base64").length).toBe(10 * 50 * 48)
      yield* client.until("response.done")
      const cut = { type: "conversation.item.truncate", item_id: delta.item_id, content_index: 0 }
      expect(yield* refusalOf(client, { ...cut, audio_end_ms: 501 })).toMatchObject({
        code: "invalid_value",
        message: "Audio content of 500ms is already shorter than 501ms"
      })
      yield* client.sendRaw({ ...cut, audio_end_ms: 200 })
      expect(yield* client.until("conversation.item.truncated")).toMatchObject({ audio_end_ms: 200 })
      expect(yield* connection.conversation).toMatchObject([{ content: [{ type: "output_audio", transcript: "" }] }])
      expect(yield* refusalOf(client, { ...cut, audio_end_ms: 201 })).toMatchObject({ code: "invalid_value" })
      expect(yield* refusalOf(client, { ...cut, item_id: "nobody", audio_end_ms: 0 })).toMatchObject({
        code: "item_truncate_invalid_item_id"
      })
    })
  )
})
