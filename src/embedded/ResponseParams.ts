/** The parameters of a response: those of `response.create` over the settings of the session. */
import * as Either from "effect/Either"
import type * as Protocol from "../protocol/Response.js"
import type { FunctionTool, Request } from "./Mind.js"
import type { ServerConversation } from "./ServerConversation.js"
import { fromClient, type ServerItem } from "./ServerItem.js"
import {
  duplicateTool,
  type FormatName,
  formatName,
  functionTools,
  outputFormat,
  type SessionSettings,
  unsupportedByModel
} from "./SessionSettings.js"
import { isObject, type JsonObject, type Refusal, refusal } from "./Shape.js"

export interface ResponseParams {
  readonly outOfBand: boolean
  /** The response's own context, if it has one. */
  readonly input: ReadonlyArray<ServerItem> | undefined
  readonly instructions: string
  /** Those of the request itself. */
  readonly ownInstructions: string | undefined
  readonly tools: ReadonlyArray<FunctionTool>
  readonly toolChoice: Request["toolChoice"]
  readonly modality: "text" | "audio"
  readonly metadata: { readonly [key: string]: string } | null
  readonly maxOutputTokens: number | "inf"
  readonly format: FormatName
  /** As shown in the response object. */
  readonly audio: JsonObject
}

export const readParams = (
  asked: Protocol.ResponseParams,
  settings: SessionSettings,
  conversation: ServerConversation
): Either.Either<ResponseParams, Refusal> => {
  const problem =
    duplicateTool(asked.tools, "response.tools") ??
    // JSON border: only the names of its fields were checked.
    unsupportedByModel(asked as unknown as JsonObject, settings["model"], "response")
  if (problem !== undefined) return Either.left(problem)
  const tools = functionTools(asked.tools ?? settings["tools"])
  const toolChoice = choice(asked.tool_choice ?? settings["tool_choice"])
  if (toolChoice._tag === "Function" && !tools.some((tool) => tool.name === toolChoice.name)) {
    return Either.left(
      refusal("invalid_value", `Tool choice '${toolChoice.name}' not found in 'tools'.`, "response.tool_choice")
    )
  }
  const input = asked.input === undefined ? Either.right(undefined) : context(asked.input, conversation)
  if (Either.isLeft(input)) return Either.left(input.left)
  const audio = { ...outputAudio(settings), ...asked.audio?.output }
  const maxOutputTokens = asked.max_output_tokens ?? settings["max_output_tokens"]
  const modalities: unknown = asked.output_modalities ?? settings["output_modalities"]
  return Either.right({
    outOfBand: asked.conversation === "none",
    input: input.right,
    instructions: asked.instructions ?? (typeof settings["instructions"] === "string" ? settings["instructions"] : ""),
    ownInstructions: asked.instructions ?? undefined,
    tools,
    toolChoice,
    modality: Array.isArray(modalities) && modalities[0] === "text" ? "text" : "audio",
    metadata: asked.metadata ?? null,
    maxOutputTokens: typeof maxOutputTokens === "number" ? maxOutputTokens : "inf",
    format: formatName(asked.audio?.output?.format ?? outputFormat(settings)),
    audio: { output: { format: audio["format"], voice: audio["voice"] } }
  })
}

const outputAudio = (settings: SessionSettings): JsonObject => {
  const audio = settings["audio"]
  const output = isObject(audio) ? audio["output"] : undefined
  return isObject(output) ? output : {}
}

const choice = (value: unknown): Request["toolChoice"] => {
  if (value === "none") return { _tag: "None" }
  if (value === "required") return { _tag: "Required" }
  if (isObject(value) && value["type"] === "function" && typeof value["name"] === "string") {
    return { _tag: "Function", name: value["name"] }
  }
  return { _tag: "Auto" }
}

/** Items without an id are numbered from 1: nothing ever refers to them. */
const context = (
  input: NonNullable<Protocol.ResponseParams["input"]>,
  conversation: ServerConversation
): Either.Either<ReadonlyArray<ServerItem>, Refusal> => {
  const items: Array<ServerItem> = []
  for (const [index, given] of input.entries()) {
    if (given.type !== "item_reference") {
      const name = `input_${index + 1}`
      items.push(fromClient(given, { id: () => name, callId: () => name }))
      continue
    }
    const found = conversation.get(given.id)
    if (found === undefined) {
      const path = `response.input[${index}].id`
      return Either.left(refusal("item_not_found", `Item with id '${given.id}' not found in conversation.`, path))
    }
    items.push(found)
  }
  return Either.right(items)
}
