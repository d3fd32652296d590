import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as AudioLane from "../../src/machine/AudioLane.js"
import { numRuns } from "../runs.js"

const audio = (event: string, seconds: number): AudioLane.Entry<string> => ({ _tag: "Audio", event, seconds })
const commit: AudioLane.Entry<string> = { _tag: "Commit", event: "commit" }
const clear: AudioLane.Entry<string> = { _tag: "Clear", event: "clear" }

const laneOf = (maxSeconds: number, ...entries: ReadonlyArray<AudioLane.Entry<string>>) => {
  const lane = new AudioLane.AudioLane<string>(maxSeconds)
  for (const entry of entries) lane.add(entry)
  return lane
}
const eventsOf = (lane: AudioLane.AudioLane<string>) => lane.takeAll().map(({ event }) => event)

describe("law 6, Boundedness: what the user says while nothing can be sent", () => {
  it("waits in order", () => {
    const lane = laneOf(10, audio("a", 1), audio("b", 1), commit, audio("c", 1))
    expect(eventsOf(lane)).toEqual(["a", "b", "commit", "c"])
    expect(lane.isEmpty()).toBe(true)
    expect(lane.takeDroppedSeconds()).toBe(0)
  })

  it("drops the oldest when it is too much, and counts it", () => {
    const lane = laneOf(2, audio("a", 1), audio("b", 1), audio("c", 0.5))
    expect(eventsOf(lane)).toEqual(["b", "c"])
    expect(lane.takeDroppedSeconds()).toBe(1)
    expect(lane.takeDroppedSeconds()).toBe(0)
  })

  it("keeps the newest piece, also when it alone is longer than what may wait", () => {
    expect(eventsOf(laneOf(2, audio("a", 1), audio("b", 60)))).toEqual(["b"])
  })

  it("drops the end of a turn with the last of the turn", () => {
    expect(eventsOf(laneOf(2, audio("a", 2), commit, audio("b", 2), commit))).toEqual(["b", "commit"])
  })

  it("drops a turn that is cleared, and nothing of the turn before", () => {
    const lane = laneOf(10, audio("a", 1), commit, audio("b", 1), clear, audio("c", 1))
    expect(eventsOf(lane)).toEqual(["a", "commit", "c"])
    expect(lane.takeDroppedSeconds()).toBe(0)
  })

  it("ends a turn once, however often it is ended", () => {
    const again = Array.from({ length: 1000 }, () => commit)
    expect(eventsOf(laneOf(10, audio("a", 1), ...again, audio("b", 1), ...again))).toEqual([
      "a",
      "commit",
      "b",
      "commit"
    ])
  })

  it("takes the clearing of a turn that began before to the server, whatever else is dropped", () => {
    expect(eventsOf(laneOf(2, clear, audio("a", 2), audio("b", 2)))).toEqual(["clear", "b"])
  })

  it("counts discarded audio as dropped", () => {
    const lane = laneOf(10, audio("a", 1), audio("b", 2), commit)
    lane.discard()
    expect(lane.isEmpty()).toBe(true)
    expect(lane.takeDroppedSeconds()).toBe(3)
  })

  it("never holds more than its bound, and counts every piece that it loses", () => {
    const entry = FastCheck.oneof(
      { weight: 6, arbitrary: FastCheck.integer({ min: 1, max: 8 }).map((quarters) => audio("a", quarters / 4)) },
      { weight: 1, arbitrary: FastCheck.constant(commit) }
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(entry, { maxLength: 60 }), (entries) => {
        const lane = laneOf(3, ...entries)
        const dropped = lane.takeDroppedSeconds()
        const secondsOf = (some: ReadonlyArray<AudioLane.Entry<string>>) =>
          some.reduce((sum, one) => sum + (one._tag === "Audio" ? one.seconds : 0), 0)
        const kept = lane.takeAll()
        const said = entries.filter((one, index) => one._tag !== "Commit" || entries[index - 1]?._tag !== "Commit")
        expect(secondsOf(kept)).toBeLessThanOrEqual(3)
        expect(secondsOf(kept) + dropped).toBe(secondsOf(entries))
        // Only the end of the speech is left.
        expect(said.slice(said.length - kept.length)).toEqual(kept)
      }),
      { numRuns: numRuns(1000) }
    )
  })
})
