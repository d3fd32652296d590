import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import type * as Agent from "../../../src/Agent.js"
import { RealtimeSession } from "../../../src/protocol/SessionConfig.js"
import { merge } from "../../../src/session/settings/merge.js"
import { numRuns } from "../../runs.js"

const settings = Arbitrary.make(RealtimeSession.omit("type", "instructions", "tools", "model"))

/** The paths of a value down to what is no object, and that value. */
const leaves = (value: unknown, path = ""): ReadonlyArray<readonly [string, unknown]> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}/${key}`))
    : [[path, value]]

describe("settings over settings", () => {
  it("have all that the upper ones say, to any depth, and invent nothing", () => {
    fc.assert(
      fc.property(settings, settings, (lower, upper) => {
        const merged = new Map(leaves(merge(lower, upper)))
        for (const [path, value] of leaves(upper)) if (value !== undefined) expect(merged.get(path)).toEqual(value)
        const known = new Map([...leaves(lower), ...leaves(upper)].map(([path]) => [path, true]))
        for (const path of merged.keys()) expect(known.has(path)).toBe(true)
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("change nothing that the upper ones do not name", () => {
    fc.assert(
      fc.property(settings, fc.constantFrom("near_field" as const, "far_field" as const), (lower, type) => {
        const upper: Agent.Settings = { audio: { input: { noise_reduction: { type } } } }
        const { audio, ...others } = merge(lower, upper)
        const { audio: before, ...othersBefore } = lower
        expect(others).toEqual(othersBefore)
        expect({ ...audio?.output }).toEqual({ ...before?.output })
        expect({ ...audio?.input, noise_reduction: null }).toEqual({ ...before?.input, noise_reduction: null })
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("are taken whole where they are of another kind, or of another thing", () => {
    const detection = (turn_detection: object): Agent.Settings =>
      ({ audio: { input: { turn_detection } } }) as Agent.Settings
    const semantic = detection({ type: "semantic_vad", eagerness: "low" })
    expect(merge(detection({ type: "server_vad", threshold: 0.2 }), semantic)).toEqual(semantic)
    const lower: Agent.Settings = { prompt: { id: "pmpt_1", version: "2", variables: { town: "Ghent" } } }
    expect(merge(lower, { prompt: { id: "pmpt_2" } })).toEqual({ prompt: { id: "pmpt_2" } })
    expect(merge(lower, { prompt: { id: "pmpt_1", version: "3" } })).toEqual({
      prompt: { id: "pmpt_1", version: "3", variables: { town: "Ghent" } }
    })
    const voice = (voice: string | { readonly id: string }): Agent.Settings => ({ audio: { output: { voice } } })
    expect(merge(voice({ id: "a" }), voice({ id: "b" }))).toEqual(voice({ id: "b" }))
    expect(
      merge<Agent.Settings>(
        { tool_choice: { type: "mcp", server_label: "one", name: "ask" } },
        {
          tool_choice: { type: "mcp", server_label: "two" }
        }
      )
    ).toEqual({ tool_choice: { type: "mcp", server_label: "two" } })
    expect(merge<Agent.Settings>({ prompt: { id: "pmpt_1" } }, { prompt: null })).toEqual({ prompt: null })
  })
})
