import { defaultFormat } from "../audio/Format.js"
import type { SessionObject } from "../protocol/SessionObject.js"
import { semanticVad, serverVad } from "../protocol/turnDetection.js"
import type { Settings } from "./setup.js"

/** The settings in force as a server of the session's protocol shows them. */
export const sessionOf = (settings: Settings, model: string): SessionObject => {
  const { audio = {}, instructions = "", max_output_tokens = "inf", output_modalities = ["audio"] } = settings
  const { tool_choice = "auto", tools = [] } = settings
  const { input = {}, output = {} } = audio
  const { turn_detection: given = serverVad } = input
  const turn_detection =
    given === null ? null : { ...(given.type === "semantic_vad" ? semanticVad : serverVad), ...given }
  return {
    type: "realtime",
    object: "realtime.session",
    model,
    instructions,
    output_modalities,
    tools,
    tool_choice,
    max_output_tokens,
    audio: {
      input: {
        format: input.format ?? defaultFormat,
        transcription: input.transcription ?? null,
        noise_reduction: null,
        turn_detection
      },
      output: { format: output.format ?? defaultFormat, ...(output.voice === undefined ? {} : { voice: output.voice }) }
    }
  }
}
