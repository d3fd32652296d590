import type { Settings } from "../../Agent.js"
import type { TurnDetection } from "../../protocol/SessionConfig.js"
import { semanticVad, serverVad } from "../../protocol/turnDetection.js"

/** The protocol's defaults. */
const serverDefaults = {
  tool_choice: "auto",
  parallel_tool_calls: true,
  max_output_tokens: "inf",
  truncation: "auto",
  output_modalities: ["audio"],
  include: [],
  prompt: null
} satisfies Settings

const inputDefaults = { transcription: null, noise_reduction: null } satisfies NonNullable<Settings["audio"]>["input"]
const outputDefaults = { speed: 1 } satisfies NonNullable<Settings["audio"]>["output"]

/**
 * As a whole: fields that one agent leaves out must not keep the other agent's values, however deeply a server merges.
 */
const detectionBetween = (
  from: TurnDetection | null | undefined,
  to: TurnDetection | null | undefined,
  known: TurnDetection | null | undefined
): TurnDetection | null | undefined => {
  if (from === undefined || to === null) return to
  if (to === undefined) return isAsAsked(whole(from), known && whole(known)) ? serverVad : undefined
  return whole(to)
}

const whole = (detection: TurnDetection | null): TurnDetection | null => {
  if (detection === null) return null
  return detection.type === "semantic_vad" ? { ...semanticVad, ...detection } : { ...serverVad, ...detection }
}

/** Otherwise, the application has changed it since. */
const isAsAsked = (asked: unknown, known: unknown): boolean =>
  known === undefined || JSON.stringify(asked) === JSON.stringify(known)

/** The defaults of fields that `from` names and `to` does not, unless the application has changed them since. */
const left = <D extends object>(
  defaults: D,
  from: { readonly [K in keyof D]?: unknown },
  to: object,
  known: { readonly [K in keyof D]?: unknown }
): Partial<D> => {
  const found: Partial<D> = {}
  for (const key in defaults) {
    if (key in from && !(key in to) && isAsAsked(from[key], known[key])) found[key] = defaults[key]
  }
  return found
}

const audioBetween = (
  from: Settings["audio"] = {},
  to: Settings["audio"] = {},
  known: Settings["audio"] = {}
): Settings["audio"] => {
  const detection = detectionBetween(from.input?.turn_detection, to.input?.turn_detection, known.input?.turn_detection)
  const input = {
    ...left(inputDefaults, from.input ?? {}, to.input ?? {}, known.input ?? {}),
    ...to.input,
    ...(detection === undefined ? {} : { turn_detection: detection })
  }
  const output = { ...left(outputDefaults, from.output ?? {}, to.output ?? {}, known.output ?? {}), ...to.output }
  const hasInput = Object.keys(input).length > 0
  const hasOutput = Object.keys(output).length > 0
  return hasInput || hasOutput ? { ...(hasInput ? { input } : {}), ...(hasOutput ? { output } : {}) } : undefined
}

/**
 * The settings that take the conversation from one agent to another: the result is the same as for a session that began
 * with the second agent. If the second agent does not name them, audio formats stay as they are, because they belong to
 * the line to the user, and so does `reasoning`, because its default depends on the model. A setting also stays if its
 * `known` value differs from what the first agent asked for: the application has changed it since.
 */
export const settingsBetween = <S extends Settings>(from: Settings, to: S, known: Settings = from): S => {
  const audio = audioBetween(from.audio, to.audio, known.audio)
  return { ...left(serverDefaults, from, to, known), ...to, ...(audio === undefined ? {} : { audio }) }
}
