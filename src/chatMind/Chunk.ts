/**
 * One event of an answer, read from an endpoint's JSON: the chunks of OpenAI's `chat.completion.chunk`, and the
 * variants of other servers.
 */
import { isObject, type JsonObject } from "../embedded/Shape.js"
import { jsonText } from "../protocol/nesting.js"

/** A piece of a tool call. */
export interface CallDelta {
  /** The index of its call; some servers leave it out. */
  readonly index: number | undefined
  /** If given, a call begins here, or is named again. */
  readonly id: string | undefined
  readonly name: string
  readonly arguments: string
}

export interface Tokens {
  readonly input: number
  readonly output: number
}

export type Chunk =
  | {
      readonly _tag: "Delta"
      readonly text: string
      readonly calls: ReadonlyArray<CallDelta>
      /** `finish_reason`, in the last chunk with content. */
      readonly finish: string | undefined
      /** In a separate chunk after the others, without `choices`. */
      readonly tokens: Tokens | undefined
    }
  /** The endpoint failed in the middle of its answer. */
  | { readonly _tag: "Refused"; readonly code: string | undefined; readonly message: string }
  /** Not a JSON object. */
  | { readonly _tag: "Unreadable"; readonly data: string }

/** Reads the data of an event, or the whole answer of an endpoint that does not stream. */
export const parse = (data: string): Chunk => {
  let json: unknown
  try {
    json = JSON.parse(data)
  } catch {
    return { _tag: "Unreadable", data }
  }
  if (!isObject(json)) return { _tag: "Unreadable", data }
  const error = errorIn(json)
  if (error !== undefined) return { _tag: "Refused", ...error }
  const choices: ReadonlyArray<unknown> = Array.isArray(json["choices"]) ? json["choices"] : []
  const choice = choices.filter(isObject).find(({ index }) => index === undefined || index === 0)
  // An unstreamed answer has a `message` instead of the `delta`, with the same fields.
  const delta = choice?.["delta"] ?? choice?.["message"]
  return {
    _tag: "Delta",
    text: isObject(delta) ? textIn(delta["content"]) || textIn(delta["refusal"]) : "",
    calls:
      isObject(delta) && Array.isArray(delta["tool_calls"]) ? delta["tool_calls"].filter(isObject).map(callIn) : [],
    finish: textOrNothing(choice?.["finish_reason"]),
    tokens: tokensIn(json["usage"])
  }
}

/** What an endpoint says about a failure: `{"error":{"message","code"}}`, or `{"error":"…"}`. */
export const errorIn = (
  json: JsonObject
): { readonly code: string | undefined; readonly message: string } | undefined => {
  const { error } = json
  if (typeof error === "string") return { code: undefined, message: error }
  if (!isObject(error)) return undefined
  return {
    code: textOrNothing(error["code"]) ?? textOrNothing(error["type"]),
    message: textOrNothing(error["message"]) ?? jsonText(error)
  }
}

const textOrNothing = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined

/** The text of a string or of a list of parts, without parts with a model's reasoning. */
const textIn = (content: unknown): string => {
  if (typeof content === "string") return content
  if (!Array.isArray(content)) return ""
  return content.map((part) => (isObject(part) && typeof part["text"] === "string" ? part["text"] : "")).join("")
}

const callIn = (call: JsonObject): CallDelta => {
  const given = isObject(call["function"]) ? call["function"] : {}
  const args = given["arguments"]
  return {
    index: typeof call["index"] === "number" ? call["index"] : undefined,
    id: textOrNothing(call["id"]),
    name: textOrNothing(given["name"]) ?? "",
    arguments: typeof args === "string" ? args : isObject(args) ? jsonText(args) : ""
  }
}

const tokensIn = (usage: unknown): Tokens | undefined => {
  if (!isObject(usage)) return undefined
  const { completion_tokens: output, prompt_tokens: input } = usage
  return typeof input === "number" && typeof output === "number" ? { input, output } : undefined
}
