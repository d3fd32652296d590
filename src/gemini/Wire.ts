/** What Gemini's Live API sends, as far as it is read. Everything is optional: a field of another shape counts as absent. */
import * as Predicate from "effect/Predicate"

export type Json = { readonly [key: string]: unknown }

export interface Part {
  readonly text: string | undefined
  readonly thought: boolean
  /** Base64. */
  readonly audio: { readonly data: string; readonly rate: number } | undefined
}

export interface FunctionCall {
  readonly id: string | undefined
  /** Empty: Gemini gave none. No tool has this name, and Gemini waits for an output all the same. */
  readonly name: string
  readonly args: Json
}

export interface ModalityTokens {
  readonly text: number
  readonly audio: number
  readonly image: number
}

export interface Usage {
  readonly total: number
  readonly prompt: number
  readonly response: number
  readonly cached: number
  readonly promptOf: ModalityTokens
  readonly responseOf: ModalityTokens
}

/** One message. Several of these may be in it. */
export interface ServerMessage {
  readonly setupComplete: boolean
  readonly parts: ReadonlyArray<Part>
  readonly inputTranscription: { readonly text: string; readonly finished: boolean } | undefined
  readonly outputTranscription: string | undefined
  readonly interrupted: boolean
  readonly generationComplete: boolean
  readonly turnComplete: boolean
  readonly turnCompleteReason: string | undefined
  readonly calls: ReadonlyArray<FunctionCall>
  readonly cancelledCalls: ReadonlyArray<string>
  readonly voiceActivity: "start" | "end" | undefined
  readonly resumption: { readonly handle: string | undefined } | undefined
  /** Milliseconds until the connection is closed. */
  readonly goAwayMs: number | undefined
  readonly usage: Usage | undefined
}

/** The fields of a message that this module reads: a message with another one is passed on as it is. */
export const known: ReadonlySet<string> = new Set([
  "setupComplete",
  "serverContent",
  "toolCall",
  "toolCallCancellation",
  "goAway",
  "sessionResumptionUpdate",
  "usageMetadata",
  "voiceActivity",
  "voiceActivityDetectionSignal"
])

const object = (value: unknown): Json | undefined => (Predicate.isRecord(value) ? value : undefined)
const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
/** To Gemini, an empty text is the same as none. */
const word = (value: unknown): string | undefined => (value === "" ? undefined : text(value))
const count = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0)

/** `audio/pcm;rate=24000` */
const rateOf = (mimeType: string): number => Number(/rate=(\d+)/.exec(mimeType)?.[1] ?? 24_000)

const partOf = (value: unknown): Part => {
  const part = object(value)
  const blob = object(part?.["inlineData"])
  const mimeType = text(blob?.["mimeType"]) ?? ""
  const data = text(blob?.["data"])
  return {
    text: text(part?.["text"]),
    thought: part?.["thought"] === true,
    audio: data !== undefined && mimeType.startsWith("audio/") ? { data, rate: rateOf(mimeType) } : undefined
  }
}

const callsOf = (value: unknown): ReadonlyArray<FunctionCall> =>
  list(object(value)?.["functionCalls"]).map((one) => {
    const call = object(one)
    return { id: word(call?.["id"]), name: text(call?.["name"]) ?? "", args: object(call?.["args"]) ?? {} }
  })

/** `"9.5s"`, a duration of protocol buffers. */
const millisecondsOf = (value: unknown): number => {
  const seconds = Number(/^(\d+(?:\.\d+)?)s$/.exec(text(value) ?? "")?.[1] ?? 0)
  return Math.round(seconds * 1_000)
}

const tokensOf = (details: unknown): ModalityTokens => {
  const of = (modality: string): number =>
    list(details)
      .map(object)
      .filter((one) => one?.["modality"] === modality)
      .reduce((sum, one) => sum + count(one?.["tokenCount"]), 0)
  return { text: of("TEXT"), audio: of("AUDIO"), image: of("IMAGE") + of("VIDEO") }
}

const usageOf = (value: unknown): Usage | undefined => {
  const usage = object(value)
  return usage === undefined
    ? undefined
    : {
        total: count(usage["totalTokenCount"]),
        prompt: count(usage["promptTokenCount"]),
        response: count(usage["responseTokenCount"]) + count(usage["thoughtsTokenCount"]),
        cached: count(usage["cachedContentTokenCount"]),
        promptOf: tokensOf(usage["promptTokensDetails"]),
        responseOf: tokensOf(usage["responseTokensDetails"])
      }
}

const activityOf = (json: Json): "start" | "end" | undefined => {
  const type = text(object(json["voiceActivity"])?.["voiceActivityType"])
  return type === "ACTIVITY_START" ? "start" : type === "ACTIVITY_END" ? "end" : undefined
}

export const read = (json: Json): ServerMessage => {
  const content = object(json["serverContent"])
  const input = object(content?.["inputTranscription"])
  const update = object(json["sessionResumptionUpdate"])
  const goAway = object(json["goAway"])
  const handle = word(update?.["newHandle"])
  return {
    setupComplete: json["setupComplete"] !== undefined,
    parts: list(object(content?.["modelTurn"])?.["parts"]).map(partOf),
    inputTranscription:
      input === undefined ? undefined : { text: text(input["text"]) ?? "", finished: input["finished"] === true },
    outputTranscription: text(object(content?.["outputTranscription"])?.["text"]),
    interrupted: content?.["interrupted"] === true,
    generationComplete: content?.["generationComplete"] === true,
    turnComplete: content?.["turnComplete"] === true,
    turnCompleteReason: text(content?.["turnCompleteReason"]),
    calls: callsOf(json["toolCall"]),
    cancelledCalls: list(object(json["toolCallCancellation"])?.["ids"]).flatMap((id) => word(id) ?? []),
    voiceActivity: activityOf(json),
    resumption: update === undefined ? undefined : { handle: update["resumable"] === true ? handle : undefined },
    goAwayMs: goAway === undefined ? undefined : millisecondsOf(goAway["timeLeft"]),
    usage: usageOf(json["usageMetadata"])
  }
}
