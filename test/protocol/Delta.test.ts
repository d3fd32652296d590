import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import {
  ResponseFunctionCallArgumentsDelta,
  ResponseOutputAudioDelta,
  ResponseOutputAudioTranscriptDelta,
  ResponseOutputTextDelta
} from "../../src/Protocol.js"
import { isDelta } from "../../src/protocol/Delta.js"
import { guard } from "../../src/protocol/fields.js"
import { numRuns } from "../runs.js"

const cases = [
  ["response.output_audio.delta", guard(ResponseOutputAudioDelta)],
  ["response.output_text.delta", guard(ResponseOutputTextDelta)],
  ["response.output_audio_transcript.delta", guard(ResponseOutputAudioTranscriptDelta)],
  ["response.function_call_arguments.delta", guard(ResponseFunctionCallArgumentsDelta)]
] as const

/** Mostly a valid value for the field, else any JSON value, or none. */
const mostly = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ arbitrary: usual, weight: 12 }, fc.constantFrom(null, Number.POSITIVE_INFINITY, "", 0, [], {}, undefined))

const fields = fc
  .record({
    event_id: mostly(fc.string()),
    response_id: mostly(fc.string()),
    item_id: mostly(fc.string()),
    call_id: mostly(fc.string()),
    output_index: mostly(fc.nat()),
    content_index: mostly(fc.nat()),
    delta: mostly(fc.base64String())
  })
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)))

describe("isDelta", () => {
  it.each(cases)("agrees with the schema of %s", (type, isEvent) => {
    const verdicts = new Set<boolean>()
    fc.assert(
      fc.property(fields, (rest) => {
        const event = { ...rest, type }
        const verdict = isDelta(event)
        verdicts.add(verdict)
        expect(verdict).toBe(isEvent(event))
      }),
      { numRuns: numRuns(500) }
    )
    expect(verdicts.size).toBe(2)
  })

  it("leaves other events to their schemas", () => {
    expect(isDelta({ type: "response.mcp_call_arguments.delta", delta: "{" })).toBe(false)
  })
})
