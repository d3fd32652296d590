import { describe, expect, it } from "@effect/vitest"
import { completed, merge, updated } from "../../../src/session/settings/merge.js"

const slow = { type: "server_vad", silence_duration_ms: 2_000 } as const
const known = {
  tool_choice: "none",
  audio: { input: { turn_detection: slow, transcription: { model: "whisper-1", language: "en" } } }
} as const

describe("merge", () => {
  it("keeps what the upper settings do not name, and takes their null, false and empty lists", () => {
    expect(merge<object>({ a: { b: 1, c: [1] }, d: true, e: 1 }, { a: { c: [] }, d: false, e: null })).toEqual({
      a: { b: 1, c: [] },
      d: false,
      e: null
    })
  })
})

describe("completed", () => {
  it("names no more settings than the update, each whole", () => {
    const turn_detection = { type: "server_vad", threshold: 0.3 } as const
    expect(completed(known, { audio: { input: { turn_detection } } })).toEqual({
      audio: { input: { turn_detection: { ...slow, threshold: 0.3 } } }
    })
    expect(completed(known, { audio: { input: { turn_detection: null } } })).toEqual({
      audio: { input: { turn_detection: null } }
    })
    expect(completed({}, { max_output_tokens: 1 })).toEqual({ max_output_tokens: 1 })
  })
})

describe("updated", () => {
  it("has each setting as it was given last, and nothing of what was in it before", () => {
    expect(updated(known, { audio: { input: { transcription: { model: "gpt-4o-transcribe" } } } })).toEqual({
      tool_choice: "none",
      audio: { input: { turn_detection: slow, transcription: { model: "gpt-4o-transcribe" } } }
    })
    expect(updated({}, known)).toEqual(known)
    expect(updated(known, {})).toEqual(known)
  })
})
