import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { TurnDetectionSettings } from "../../../src/embedded/TurnDetection.js"
import { FRAME_MS, type Mark, Turns } from "../../../src/voice/worker/Turns.js"
import { numRuns } from "../../runs.js"

const settings: TurnDetectionSettings = { threshold: 0.5, prefixMs: 300, silenceMs: 500 }

/** The marks of runs of frames: so many frames, each with that probability. */
const marks = (runs: ReadonlyArray<readonly [frames: number, probability: number]>, given = settings) => {
  const turns = new Turns(0, 0)
  return runs.flatMap(([frames, probability]) =>
    Array.from({ length: frames }, () => turns.frame(probability, given)).filter(
      (mark): mark is Mark => mark !== undefined
    )
  )
}

describe("Turns", () => {
  it("begin with the prefix before the voice, and end with the silence after it", () => {
    expect(
      marks([
        [20, 0],
        [30, 0.9],
        [20, 0]
      ])
    ).toEqual([
      { _tag: "SpeechStarted", startMs: 20 * FRAME_MS - 300, lengthMs: 3 * FRAME_MS + 300 },
      { _tag: "SpeechPaused" },
      { _tag: "SpeechStopped", endMs: 66 * FRAME_MS }
    ])
  })

  it("do not begin with a click, and do not end with a pause within a sentence", () => {
    expect(
      marks([
        [2, 0.9],
        [10, 0],
        [2, 0.9],
        [10, 0]
      ])
    ).toEqual([])
    expect(
      marks([
        [10, 0.9],
        [12, 0],
        [10, 0.9],
        [3, 0],
        [2, 0.9]
      ]).map(({ _tag }) => _tag)
    ).toEqual(["SpeechStarted", "SpeechPaused", "SpeechResumed"])
  })

  it("go on while the probability drops a little, and follow the threshold of the session", () => {
    expect(
      marks([
        [5, 0.6],
        [40, 0.36]
      ]).map(({ _tag }) => _tag)
    ).toEqual(["SpeechStarted"])
    expect(marks([[5, 0.6]], { ...settings, threshold: 0.7 })).toEqual([])
  })

  it("of semantic detection may end early if they sound complete, and end in any case after its maximum", () => {
    const semantic: TurnDetectionSettings = { ...settings, silenceMs: 2_000, completeMs: 400 }
    const turns = new Turns(0, 0)
    const seen = Array.from({ length: 80 }, (_, index) => ({ index, mark: turns.frame(index < 5 ? 1 : 0, semantic) }))
    const at = (tag: Mark["_tag"]) => ((seen.find(({ mark }) => mark?._tag === tag)?.index ?? 0) - 4) * FRAME_MS
    expect(at("SpeechPaused")).toBe(5 * FRAME_MS)
    expect(at("SpeechSettled")).toBe(13 * FRAME_MS)
    expect(at("SpeechStopped")).toBe(63 * FRAME_MS)
  })

  it("have nothing of an earlier turn, or from before the floor, in their prefix", () => {
    const [first, , second] = marks([
      [5, 1],
      [16, 0],
      [3, 1]
    ]).filter(({ _tag }) => _tag !== "SpeechPaused")
    expect(first).toMatchObject({ _tag: "SpeechStarted", startMs: 0 })
    expect(second).toMatchObject({ _tag: "SpeechStarted", startMs: 21 * FRAME_MS })
    const turns = new Turns(1_000, 900)
    for (let frame = 0; frame < 2; frame++) turns.frame(1, settings)
    expect(turns.frame(1, settings)).toMatchObject({ _tag: "SpeechStarted", startMs: 1_000 })
  })

  it("end with silence even if the threshold is very low", () => {
    const low = { ...settings, threshold: 0.1 }
    expect(
      marks(
        [
          [5, 0.6],
          [20, 0]
        ],
        low
      ).map(({ _tag }) => _tag)
    ).toEqual(["SpeechStarted", "SpeechPaused", "SpeechStopped"])
  })

  it("keep the session's clock if audio was skipped", () => {
    const turns = new Turns(0, 0)
    turns.skip(10_000)
    for (let frame = 0; frame < 2; frame++) turns.frame(1, settings)
    expect(turns.frame(1, settings)).toMatchObject({ _tag: "SpeechStarted", startMs: 9_700 })
  })

  it("alternate between starts and stops, in order of time", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.double({ min: 0, max: 1, noNaN: true })), {
          maxLength: 30
        }),
        (runs) => {
          let last = -1
          const changes = marks(runs).filter(({ _tag }) => _tag === "SpeechStarted" || _tag === "SpeechStopped")
          for (const [index, change] of changes.entries()) {
            expect(change._tag).toBe(index % 2 === 0 ? "SpeechStarted" : "SpeechStopped")
            const ms =
              change._tag === "SpeechStarted" ? change.startMs : change._tag === "SpeechStopped" ? change.endMs : 0
            expect(ms).toBeGreaterThanOrEqual(last)
            last = ms
          }
        }
      ),
      { numRuns: numRuns(200) }
    )
  })
})
