/** The shape of each client event. One invalid or unknown field refuses the whole event, as on the real API. */
import { refusalOf } from "../protocol/FunctionParameters.js"
import {
  anything,
  bool,
  by,
  isObject,
  listOf,
  nullable,
  number,
  object,
  oneOf,
  record,
  refusal,
  type Shape,
  shown,
  text,
  textOr
} from "./Shape.js"

/** The maximum length of an item id from a client, in characters. */
const MAX_ID = 32

const id = text({ maxLength: MAX_ID })
const status = oneOf("completed", "incomplete", "in_progress")

const format = by("type", {
  "audio/pcm": object({ type: anything, rate: number({ integer: true, min: 24_000, max: 24_000 }) }),
  "audio/pcmu": object({ type: anything }),
  "audio/pcma": object({ type: anything })
})

const turnDetection = by("type", {
  server_vad: object({
    type: anything,
    threshold: number({ min: 0, max: 1 }),
    prefix_padding_ms: number({ integer: true, min: 0 }),
    silence_duration_ms: number({ integer: true, min: 0 }),
    idle_timeout_ms: nullable(number({ integer: true, min: 5_000, max: 30_000 })),
    create_response: bool,
    interrupt_response: bool
  }),
  semantic_vad: object({
    type: anything,
    eagerness: oneOf("low", "medium", "high", "auto"),
    create_response: bool,
    interrupt_response: bool
  })
})

const transcription = object({
  model: text(),
  language: text(),
  languages: listOf(text()),
  prompt: text(),
  keywords: listOf(text()),
  delay: oneOf("minimal", "low", "medium", "high", "xhigh")
})

const voice = textOr(text(), object({ id: text() }, ["id"]))

const toolNames = object({ tool_names: listOf(text()), read_only: bool })

const functionFields = object(
  {
    type: anything,
    name: text({ pattern: /^[a-zA-Z0-9_-]{1,64}$/ }),
    description: text(),
    parameters: record(anything)
  },
  ["name"]
)

/** A function whose parameters are in the API's dialect of JSON Schema. */
const functionTool: Shape = (value, path) => {
  const problem = functionFields(value, path)
  if (problem !== undefined || !isObject(value) || value["parameters"] === undefined) return problem
  const refused = refusalOf(value["parameters"])
  return refused === undefined
    ? undefined
    : refusal(
        refused.code,
        `Invalid schema for function '${shown(value["name"])}': ${refused.reason}`,
        `${path}.parameters`
      )
}

const tool = by("type", {
  function: functionTool,
  mcp: object(
    {
      type: anything,
      server_label: text(),
      server_url: text(),
      connector_id: text(),
      tunnel_id: text(),
      authorization: text(),
      server_description: text(),
      headers: nullable(record(text())),
      allowed_tools: nullable((value, path) =>
        Array.isArray(value) ? listOf(text())(value, path) : toolNames(value, path)
      ),
      allowed_callers: nullable(listOf(oneOf("direct", "programmatic"))),
      require_approval: nullable(textOr(oneOf("always", "never"), object({ always: toolNames, never: toolNames }))),
      defer_loading: bool
    },
    ["server_label"]
  )
})

const toolChoice = textOr(
  oneOf("auto", "none", "required"),
  by("type", {
    function: object({ type: anything, name: text() }, ["name"]),
    mcp: object({ type: anything, server_label: text(), name: nullable(text()) }, ["server_label"])
  })
)

const modalities: Shape = (value, path) => {
  const problem = listOf(oneOf("text", "audio"))(value, path)
  if (problem !== undefined) return problem
  const list = Array.isArray(value) ? value : []
  return list.length === 1
    ? undefined
    : refusal(
        "invalid_value",
        `Invalid modalities: ${JSON.stringify(list)}. Supported combinations are: ['text'] and ['audio'].`,
        path
      )
}

const maxOutputTokens: Shape = (value, path) =>
  value === "inf" ? undefined : number({ integer: true, min: 1, max: 4_096 })(value, path)

const prompt = nullable(
  object({ id: text(), version: nullable(text()), variables: nullable(record(anything)) }, ["id"])
)

const reasoning = object({ effort: oneOf("minimal", "low", "medium", "high", "xhigh") })

const tracing = nullable(textOr(oneOf("auto"), object({ workflow_name: text(), group_id: text(), metadata: anything })))

const truncation = textOr(
  oneOf("auto", "disabled"),
  by("type", {
    retention_ratio: object(
      {
        type: anything,
        retention_ratio: number({ min: 0, max: 1 }),
        token_limits: object({ post_instructions: number({ integer: true, min: 0 }) })
      },
      ["retention_ratio"]
    )
  })
)

const metadata = nullable(record(text({ maxLength: 512 }), { maxProperties: 16, maxKeyLength: 64 }))

/** The session object of `session.update`. */
export const session: Shape = by("type", {
  realtime: object({
    type: anything,
    model: text(),
    instructions: text(),
    output_modalities: modalities,
    audio: object({
      input: object({
        format,
        noise_reduction: nullable(object({ type: oneOf("near_field", "far_field"), strength: number() })),
        transcription: nullable(transcription),
        turn_detection: nullable(turnDetection)
      }),
      output: object({ format, voice, speed: number({ min: 0.25, max: 1.5 }) })
    }),
    tools: listOf(tool, { maxLength: 128 }),
    tool_choice: toolChoice,
    parallel_tool_calls: bool,
    reasoning,
    max_output_tokens: maxOutputTokens,
    prompt,
    include: nullable(listOf(oneOf("item.input_audio_transcription.logprobs"))),
    tracing,
    truncation
  }),
  transcription: anything
})

const content = (kinds: { readonly [type: string]: Shape }): Shape => listOf(by("type", kinds))
const inputText = object({ type: anything, text: text() }, ["text"])

const withContent = (shape: Shape): Shape =>
  object({ type: anything, id, object: anything, role: anything, status, content: shape }, ["content"])

const message = by("role", {
  system: withContent(content({ input_text: inputText })),
  user: withContent(
    content({
      input_text: inputText,
      input_audio: object({ type: anything, audio: text(), transcript: nullable(text()) }),
      input_image: object({ type: anything, image_url: text(), detail: oneOf("auto", "low", "high") })
    })
  ),
  // A client cannot create assistant audio: only the server's own items have it.
  assistant: withContent(content({ output_text: inputText }))
})

/** The item of `conversation.item.create`. */
export const item: Shape = by("type", {
  message,
  function_call: object(
    { type: anything, id, object: anything, status, name: text(), arguments: text(), call_id: id },
    ["name", "arguments"]
  ),
  function_call_output: object({ type: anything, id, object: anything, status, call_id: text(), output: text() }, [
    "call_id",
    "output"
  ]),
  mcp_approval_response: object(
    { type: anything, id, approval_request_id: text(), approve: bool, reason: nullable(text()) },
    ["approval_request_id", "approve"]
  ),
  mcp_approval_request: object({ type: anything, id, server_label: text(), name: text(), arguments: text() }, [
    "server_label",
    "name",
    "arguments"
  ]),
  mcp_list_tools: object({ type: anything, id, server_label: text(), tools: listOf(record(anything)) }, [
    "server_label",
    "tools"
  ]),
  mcp_call: object(
    {
      type: anything,
      id,
      server_label: text(),
      name: text(),
      arguments: text(),
      approval_request_id: nullable(text()),
      output: nullable(text()),
      error: nullable(record(anything))
    },
    ["server_label", "name", "arguments"]
  )
})

const inputItem: Shape = (value, path) =>
  typeof value === "object" && value !== null && "type" in value && value.type === "item_reference"
    ? object({ type: anything, id: text() }, ["id"])(value, path)
    : item(value, path)

/** The parameters of `response.create`. */
const response = object({
  instructions: text(),
  output_modalities: modalities,
  audio: object({ output: object({ format, voice }) }),
  tools: listOf(tool, { maxLength: 128 }),
  tool_choice: toolChoice,
  parallel_tool_calls: bool,
  reasoning,
  max_output_tokens: maxOutputTokens,
  prompt,
  conversation: oneOf("auto", "none"),
  input: listOf(inputItem),
  metadata
})

const event = (fields: { readonly [key: string]: Shape }, required: ReadonlyArray<string> = []): Shape =>
  object({ type: anything, event_id: nullable(text({ maxLength: 512 })), ...fields }, required)

/** The eleven client events by their type. */
export const clientEvent: Shape = by("type", {
  "session.update": event({ session }, ["session"]),
  "input_audio_buffer.append": event({ audio: text() }, ["audio"]),
  "input_audio_buffer.commit": event({}),
  "input_audio_buffer.clear": event({}),
  "output_audio_buffer.clear": event({}),
  "conversation.item.create": event({ item, previous_item_id: nullable(text()) }, ["item"]),
  "conversation.item.retrieve": event({ item_id: text() }, ["item_id"]),
  "conversation.item.truncate": event(
    {
      item_id: text(),
      content_index: number({ integer: true, min: 0 }),
      audio_end_ms: number({ integer: true, min: 0 })
    },
    ["item_id", "content_index", "audio_end_ms"]
  ),
  "conversation.item.delete": event({ item_id: text() }, ["item_id"]),
  "response.create": event({ response: nullable(response) }),
  "response.cancel": event({ response_id: nullable(text()) })
})
