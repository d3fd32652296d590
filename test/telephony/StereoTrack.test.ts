import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { StereoTrack } from "../../src/telephony/StereoTrack.js"

const rate = 8_000
const tone = (ms: number, value: number) => new Int16Array(ms * 8).fill(value)

/** The left and the right sample at a moment. */
const at = (frames: Int16Array, ms: number) => [frames[2 * ms * 8], frames[2 * ms * 8 + 1]]

describe("A recording", () => {
  it("has each side where it was heard", () => {
    const track = new StereoTrack(rate)
    track.played(tone(200, 7), 500)
    for (let now = 20; now <= 1_000; now += 20) track.heard(tone(20, 3), now)
    const frames = track.take(1_000, true)
    expect(frames.length).toBe(2 * 8_000)
    expect(at(frames, 100)).toEqual([3, 0])
    expect(at(frames, 600)).toEqual([3, 7])
    expect(at(frames, 800)).toEqual([3, 0])
  })

  it("lacks what was cleared before it was played", () => {
    const track = new StereoTrack(rate)
    track.played(tone(1_000, 7), 0)
    track.cleared(400)
    track.played(tone(100, 8), 600)
    const frames = track.take(1_000, true)
    expect([at(frames, 399), at(frames, 401), at(frames, 650), at(frames, 750)]).toEqual([
      [0, 7],
      [0, 0],
      [0, 8],
      [0, 0]
    ])
  })

  it("is taken piece by piece, a second late, and is the same as a whole", () => {
    const track = new StereoTrack(rate)
    const pieces: Array<Int16Array> = []
    for (let now = 20; now <= 3_000; now += 20) {
      if (now % 500 === 0) track.played(tone(300, now), now)
      track.heard(tone(20, 3), now)
      if (now % 260 === 0) pieces.push(track.take(now, false))
    }
    pieces.push(track.take(3_000, true))
    expect(pieces[0]?.length).toBe(0)
    const frames = Int16Array.from(pieces.flatMap((piece) => [...piece]))
    expect(frames.length).toBe(2 * 24_000)
    expect([at(frames, 1_000), at(frames, 1_299), at(frames, 1_301)]).toEqual([
      [3, 1_000],
      [3, 1_000],
      [3, 0]
    ])
  })

  it("never holds more than a few seconds, and has one frame per sample of time, whatever comes", () => {
    const step = FastCheck.record({
      what: FastCheck.constantFrom("heard", "played", "cleared", "take"),
      ms: FastCheck.integer({ min: 0, max: 400 })
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(step, { maxLength: 60 }), (steps) => {
        const track = new StereoTrack(rate)
        let now = 0
        let taken = 0
        for (const { ms, what } of steps) {
          now += ms
          if (what === "heard") track.heard(tone(20, 1), now)
          else if (what === "played") track.played(tone(ms, 2), now)
          else if (what === "cleared") track.cleared(now)
          else taken += track.take(now, false).length
          expect(taken).toBeLessThanOrEqual(2 * now * 8)
        }
        taken += track.take(now, true).length
        expect(taken).toBe(2 * now * 8)
      })
    )
  })
})
