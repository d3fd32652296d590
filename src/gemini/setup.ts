/** The settings of a session as Gemini's `setup`, and those that it does not have. */
import type { RealtimeSession, TurnDetection } from "../protocol/SessionConfig.js"
import { serverVad } from "../protocol/turnDetection.js"
import type { Json } from "./Wire.js"

export type Settings = Omit<RealtimeSession, "type">

/** A setting that cannot be said to Gemini. */
export interface Problem {
  readonly param: string
  readonly message: string
}

export interface Manner {
  readonly model: string
  /** Fields of Gemini's setup that the settings of a session do not have. They are merged into it. */
  readonly setup: Json
  /** Whether it takes words only as input, as Gemini 3 does, and the conversation only at its beginning. */
  readonly takesWordsAsInput: boolean
}

const audio = (settings: Settings) => settings.audio ?? {}

/** An update changes the fields that it has. */
export const merged = (settings: Settings, update: Settings): Settings => {
  const [before, after] = [audio(settings), audio(update)]
  return {
    ...settings,
    ...update,
    audio: { input: { ...before.input, ...after.input }, output: { ...before.output, ...after.output } }
  }
}

/** Whether Gemini finds the user's turns. Otherwise they are marked for it (push-to-talk). */
export const detects = (settings: Settings): boolean => audio(settings).input?.turn_detection !== null

export const speaks = (settings: Settings): boolean => settings.output_modalities?.includes("text") !== true

/** Everything that Gemini has no word for. */
export const problemsOf = (settings: Settings): ReadonlyArray<Problem> => {
  const { input = {}, output = {} } = audio(settings)
  const detection = input.turn_detection ?? undefined
  const problems: Array<Problem> = []
  const refuse = (isWrong: boolean, param: string, message: string): void => {
    if (isWrong) problems.push({ param: `session.${param}`, message: `session.${param} ${message}` })
  }
  const {
    include,
    parallel_tool_calls,
    prompt,
    reasoning,
    tool_choice = "auto",
    tools = [],
    tracing,
    truncation
  } = settings
  refuse(
    tool_choice !== "auto" && tool_choice !== "none",
    "tool_choice",
    'cannot force calls: Gemini decides itself. Use "auto", or "none" for no tools.'
  )
  refuse(
    tools.some(({ type }) => type !== "function"),
    "tools",
    "can only be functions: Gemini reaches no MCP servers. Use effect-realtime/Mcp, which makes functions of their tools."
  )
  const none = "is not something that Gemini has: leave it out."
  refuse((input.noise_reduction ?? null) !== null, "audio.input.noise_reduction", none)
  refuse((output.speed ?? 1) !== 1, "audio.output.speed", none)
  refuse(typeof output.voice === "object", "audio.output.voice", "should be the name of a voice, such as Kore.")
  const { model: _, ...transcription } = input.transcription ?? {}
  refuse(
    Object.keys(transcription).length > 0,
    "audio.input.transcription",
    "can only be turned on: Gemini transcribes by itself. Leave out everything but `model`, which does not count."
  )
  refuse(
    detection?.create_response === false,
    "audio.input.turn_detection.create_response",
    "cannot be off: Gemini answers each turn itself. For turns of your own, set turn_detection to null."
  )
  refuse(
    detection?.type === "server_vad" && (detection.idle_timeout_ms ?? null) !== null,
    "audio.input.turn_detection.idle_timeout_ms",
    none
  )
  refuse(parallel_tool_calls === false, "parallel_tool_calls", none)
  refuse(reasoning !== undefined, "reasoning", "is given to GeminiLive as `setup.generationConfig.thinkingConfig`.")
  refuse((prompt ?? null) !== null, "prompt", none)
  refuse((include ?? []).length > 0, "include", none)
  refuse((tracing ?? null) !== null, "tracing", none)
  refuse((truncation ?? "auto") !== "auto", "truncation", "is given to GeminiLive as `setup.contextWindowCompression`.")
  return problems
}

/**
 * Gemini has two sensitivities where others have numbers; the middle is its own default. The protocol's defaults are
 * Gemini's: a session that goes back to them says so.
 */
const sensitivityOf = (detection: TurnDetection): Json => {
  if (detection.type === "semantic_vad") {
    const { eagerness } = detection
    if (eagerness === "low") return { endOfSpeechSensitivity: "END_SENSITIVITY_LOW" }
    return eagerness === "high" ? { endOfSpeechSensitivity: "END_SENSITIVITY_HIGH" } : {}
  }
  const { prefix_padding_ms, silence_duration_ms, threshold } = { ...serverVad, ...detection }
  return {
    ...(threshold < 0.5 ? { startOfSpeechSensitivity: "START_SENSITIVITY_HIGH" } : {}),
    ...(threshold > 0.5 ? { startOfSpeechSensitivity: "START_SENSITIVITY_LOW" } : {}),
    ...(prefix_padding_ms === serverVad.prefix_padding_ms ? {} : { prefixPaddingMs: prefix_padding_ms }),
    ...(silence_duration_ms === serverVad.silence_duration_ms ? {} : { silenceDurationMs: silence_duration_ms })
  }
}

const realtimeInputConfig = (settings: Settings): Json => {
  const detection = audio(settings).input?.turn_detection
  if (detection === null) return { automaticActivityDetection: { disabled: true } }
  if (detection === undefined) return {}
  const sensitivity = sensitivityOf(detection)
  return {
    ...(Object.keys(sensitivity).length === 0 ? {} : { automaticActivityDetection: sensitivity }),
    ...(detection.interrupt_response === false ? { activityHandling: "NO_INTERRUPTION" } : {})
  }
}

const child = (json: Json, key: string): Json => {
  const value = json[key]
  return typeof value === "object" && value !== null ? { ...value } : {}
}

/** The `setup` for these settings. `handle`: where another connection left off. */
export const setupOf = (settings: Settings, manner: Manner, handle: string | undefined): Json => {
  const { instructions, max_output_tokens, tool_choice, tools = [] } = settings
  const voice = audio(settings).output?.voice
  const input = realtimeInputConfig(settings)
  const functions = tools.flatMap((tool) => (tool.type === "function" ? tool : []))
  const declarations = functions.map(({ description, name, parameters }) => ({
    name,
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parametersJsonSchema: parameters })
  }))
  return {
    contextWindowCompression: { slidingWindow: {} },
    ...manner.setup,
    model: manner.model.includes("/") ? manner.model : `models/${manner.model}`,
    generationConfig: {
      ...child(manner.setup, "generationConfig"),
      responseModalities: [speaks(settings) ? "AUDIO" : "TEXT"],
      ...(typeof voice === "string"
        ? { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } } }
        : {}),
      ...(typeof max_output_tokens === "number" ? { maxOutputTokens: max_output_tokens } : {})
    },
    ...(instructions === undefined || instructions === ""
      ? {}
      : { systemInstruction: { parts: [{ text: instructions }] } }),
    ...(declarations.length === 0 || tool_choice === "none" ? {} : { tools: [{ functionDeclarations: declarations }] }),
    ...(Object.keys(input).length === 0 ? {} : { realtimeInputConfig: input }),
    ...((audio(settings).input?.transcription ?? null) === null ? {} : { inputAudioTranscription: {} }),
    ...(speaks(settings) ? { outputAudioTranscription: {} } : {}),
    ...(manner.takesWordsAsInput ? { historyConfig: { initialHistoryInClientContent: true } } : {}),
    sessionResumption: handle === undefined ? {} : { handle }
  }
}
