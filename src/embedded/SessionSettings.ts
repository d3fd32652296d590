/**
 * The session object of one connection: its defaults, and the merge of a `session.update` into it.
 */
import * as Either from "effect/Either"
import { semanticVad, serverVad } from "../protocol/turnDetection.js"
import { refuseServers, shownServers } from "./McpImports.js"
import type { FunctionTool } from "./Mind.js"
import { isObject, type JsonObject, type Refusal, refusal } from "./Shape.js"
import type { TurnDetectionSettings } from "./TurnDetection.js"

/** The maximum duration of a session, in milliseconds: 60 minutes, as on the real API. */
export const SESSION_MS = 60 * 60 * 1_000

/** The effective session, as `session.created` and `session.updated` show it. */
export type SessionSettings = JsonObject

export const initial = (id: string, model: string, expiresAt: number): SessionSettings => ({
  type: "realtime",
  object: "realtime.session",
  id,
  model,
  output_modalities: ["audio"],
  instructions: "",
  tools: [],
  tool_choice: "auto",
  max_output_tokens: "inf",
  tracing: null,
  truncation: "auto",
  prompt: null,
  expires_at: expiresAt,
  audio: {
    input: {
      format: { type: "audio/pcm", rate: 24_000 },
      transcription: null,
      noise_reduction: null,
      turn_detection: serverVad
    },
    output: { format: { type: "audio/pcm", rate: 24_000 }, voice: "marin", speed: 1 }
  },
  include: null
})

const child = (value: unknown, key: string): JsonObject => {
  const found = isObject(value) ? value[key] : undefined
  return isObject(found) ? found : {}
}

/** `gpt-realtime-2`, `gpt-realtime-2.1` and so on, but not `gpt-realtime-2025-08-28`. */
const reasons = (model: unknown) => typeof model === "string" && /^gpt-realtime-2(?!\d)/.test(model)

export const duplicateTool = (tools: unknown, path: string): Refusal | undefined => {
  if (!Array.isArray(tools)) return undefined
  const seen = new Set<unknown>()
  for (let index = 0; index < tools.length; index++) {
    const tool: unknown = tools[index]
    if (!isObject(tool) || tool["type"] !== "function") continue
    const name = tool["name"]
    if (seen.has(name)) {
      return refusal("invalid_value", `Duplicate tool name: '${String(name)}'.`, `${path}[${index}].name`)
    }
    seen.add(name)
  }
  return undefined
}

/** Some parameters are only for reasoning models, and refused by others. */
export const unsupportedByModel = (params: JsonObject, model: unknown, path: string): Refusal | undefined => {
  const key = ["reasoning", "parallel_tool_calls"].find((name) => params[name] !== undefined)
  if (key === undefined || reasons(model)) return undefined
  const message = `Unsupported parameter: '${path}.${key}' is not supported with the model '${String(model)}'.`
  return refusal("unsupported_parameter", message, `${path}.${key}`)
}

const turnDetection = (update: unknown): unknown => {
  if (!isObject(update)) return update
  return { ...(update["type"] === "semantic_vad" ? semanticVad : serverVad), ...update }
}

/**
 * Merges an update whose shape was checked. Only the fields that are present change. A different model is ignored, and
 * the voice cannot change once the model has spoken.
 */
export const merge = (
  settings: SessionSettings,
  update: JsonObject,
  spoken: boolean
): Either.Either<SessionSettings, Refusal> => {
  if (update["type"] !== settings["type"]) {
    return Either.left(
      refusal(
        "invalid_parameter",
        `Passing a ${String(update["type"])} session update event to a ${String(settings["type"])} session is not allowed.`,
        "session.type"
      )
    )
  }
  const duplicate = duplicateTool(update["tools"], "session.tools")
  if (duplicate !== undefined) return Either.left(duplicate)
  const refused = refuseServers(update["tools"], settings["tools"])
  if (refused !== undefined) return Either.left(refused)
  const unsupported = unsupportedByModel(update, settings["model"], "session")
  if (unsupported !== undefined) return Either.left(unsupported)
  const audio = child(settings, "audio")
  const input = { ...child(audio, "input"), ...child(update["audio"], "input") }
  const output = { ...child(audio, "output"), ...child(update["audio"], "output") }
  if (spoken && JSON.stringify(output["voice"]) !== JSON.stringify(child(audio, "output")["voice"])) {
    return Either.left(
      refusal(
        "cannot_update_voice",
        "Cannot update a conversation's voice if assistant audio is present.",
        "session.audio.output.voice"
      )
    )
  }
  const instructions = update["instructions"]
  return Either.right({
    ...settings,
    ...update,
    ...(typeof instructions === "string" ? { instructions: instructions.trim() } : {}),
    ...("tools" in update ? { tools: shownServers(update["tools"], settings["tools"]) } : {}),
    model: settings["model"],
    audio: { input: { ...input, turn_detection: turnDetection(input["turn_detection"]) }, output }
  })
}

/** The function tools of a session or of a response. Tools of remote MCP servers are accepted, but never called. */
export const functionTools = (tools: unknown): ReadonlyArray<FunctionTool> => {
  if (!Array.isArray(tools)) return []
  const found: Array<FunctionTool> = []
  for (const tool of tools) {
    if (!isObject(tool) || tool["type"] !== "function" || typeof tool["name"] !== "string") continue
    found.push({
      name: tool["name"],
      description: typeof tool["description"] === "string" ? tool["description"] : "",
      parameters: isObject(tool["parameters"]) ? tool["parameters"] : {}
    })
  }
  return found
}

export type FormatName = "audio/pcm" | "audio/pcmu" | "audio/pcma"

/** The name of a format. Default: PCM. */
export const formatName = (format: unknown): FormatName => {
  const type = isObject(format) ? format["type"] : undefined
  return type === "audio/pcmu" || type === "audio/pcma" ? type : "audio/pcm"
}

const input = (settings: SessionSettings): JsonObject => child(child(settings, "audio"), "input")

export const inputFormat = (settings: SessionSettings): FormatName => formatName(input(settings)["format"])

export const outputFormat = (settings: SessionSettings): JsonObject =>
  child(child(child(settings, "audio"), "output"), "format")

/** The settings for transcription, if it is on. */
export const transcription = (settings: SessionSettings): JsonObject | undefined => {
  const found = input(settings)["transcription"]
  return isObject(found) ? found : undefined
}

/** Empty for push-to-talk. */
export const detection = (settings: SessionSettings): JsonObject => child(input(settings), "turn_detection")

/**
 * The silence that ends a turn with semantic detection, in milliseconds: after speech that sounds complete, and otherwise.
 * The latter is the maximum of the real API.
 */
const PATIENCE_MS: { readonly [eagerness: string]: { readonly complete: number; readonly otherwise: number } } = {
  low: { complete: 1_200, otherwise: 8_000 },
  medium: { complete: 700, otherwise: 4_000 },
  auto: { complete: 700, otherwise: 4_000 },
  high: { complete: 400, otherwise: 2_000 }
}

/** The settings for the turn detector. For push-to-talk, where they are not used, the server's defaults. */
export const detectionSettings = (settings: SessionSettings): TurnDetectionSettings => {
  const given = detection(settings)
  const value = (key: "prefix_padding_ms" | "silence_duration_ms" | "threshold"): number => {
    const found = given[key]
    return typeof found === "number" ? found : serverVad[key]
  }
  const eagerness = given["eagerness"]
  const patience = typeof eagerness === "string" ? PATIENCE_MS[eagerness] : undefined
  return {
    threshold: value("threshold"),
    prefixMs: value("prefix_padding_ms"),
    silenceMs: patience?.otherwise ?? value("silence_duration_ms"),
    ...(patience === undefined ? {} : { completeMs: patience.complete })
  }
}
