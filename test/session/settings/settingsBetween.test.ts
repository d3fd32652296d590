import { describe, expect, it } from "@effect/vitest"
import type * as Agent from "../../../src/Agent.js"
import { settingsBetween } from "../../../src/session/settings/settingsBetween.js"

const input = (config: NonNullable<NonNullable<Agent.Settings["audio"]>["input"]>): Agent.Settings => ({
  audio: { input: config }
})
const detection = (from: Agent.Settings, to: Agent.Settings) => settingsBetween(from, to).audio?.input?.turn_detection

describe("settingsBetween", () => {
  it("turns voice detection on again behind an agent of push-to-talk", () => {
    expect(detection(input({ turn_detection: null }), {})).toMatchObject({ type: "server_vad", create_response: true })
  })

  it("leaves nothing of the one's voice detection in the other's, of the same kind or another", () => {
    const slow = input({ turn_detection: { type: "server_vad", silence_duration_ms: 2_000, create_response: false } })
    const quick = input({ turn_detection: { type: "server_vad", threshold: 0.3 } })
    expect(detection(slow, quick)).toMatchObject({ threshold: 0.3, silence_duration_ms: 500, create_response: true })
    const semantic = input({ turn_detection: { type: "semantic_vad" } })
    expect(detection(slow, semantic)).toEqual({
      type: "semantic_vad",
      eagerness: "auto",
      create_response: true,
      interrupt_response: true
    })
    expect(detection(slow, input({ turn_detection: null }))).toBeNull()
  })

  it("has the defaults of whatever else the one named, also null and false, and the other does not", () => {
    const from: Agent.Settings = {
      tool_choice: "none",
      parallel_tool_calls: false,
      max_output_tokens: 100,
      prompt: { id: "pmpt_1" },
      truncation: "disabled",
      audio: {
        input: { transcription: { model: "whisper-1" }, noise_reduction: { type: "near_field" } },
        output: { speed: 1.5 }
      }
    }
    expect(settingsBetween(from, {})).toEqual({
      tool_choice: "auto",
      parallel_tool_calls: true,
      max_output_tokens: "inf",
      prompt: null,
      truncation: "auto",
      audio: { input: { transcription: null, noise_reduction: null }, output: { speed: 1 } }
    })
  })

  it("says nothing of what neither names, and keeps the formats and the voice", () => {
    const from: Agent.Settings = {
      reasoning: { effort: "low" },
      audio: { input: { format: { type: "audio/pcmu" } }, output: { format: { type: "audio/pcmu" }, voice: "marin" } }
    }
    expect(settingsBetween(from, { tool_choice: "auto" })).toEqual({ tool_choice: "auto" })
  })

  it("leaves what the application has changed since the one took over, and nothing of what the one asked for", () => {
    const semantic = input({ turn_detection: { type: "semantic_vad" } })
    const pushes = input({ turn_detection: null })
    expect(settingsBetween(semantic, {}, pushes)).toEqual({})
    expect(settingsBetween(pushes, {}, semantic)).toEqual({})
    expect(settingsBetween({ tool_choice: "none" }, {}, { tool_choice: "required" })).toEqual({})
    const filled = input({ turn_detection: { type: "semantic_vad", eagerness: "auto", create_response: true } })
    expect(settingsBetween(semantic, {}, filled)).toMatchObject(input({ turn_detection: { type: "server_vad" } }))
    expect(settingsBetween(semantic, semantic, pushes)).toMatchObject(semantic)
  })
})
