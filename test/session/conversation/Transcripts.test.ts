import { describe, expect, it } from "@effect/vitest"
import { vi } from "vitest"
import { within } from "../../../src/session/conversation/Transcripts.js"
import { parts } from "../parts.js"

const make = (isTranscribed = true) => {
  const { session, state } = parts()
  const { transcripts } = session
  const missing: Array<string> = []
  vi.spyOn(session.configuration, "transcribes").mockReturnValue(isTranscribed)
  vi.spyOn(session.guardrails, "notHeard").mockImplementation((itemId) => missing.push(itemId))
  const wait = (ms: number): void => {
    state.now += ms
    transcripts.timePassed()
  }
  return { transcripts, missing, wait }
}

describe("Transcripts", () => {
  it("are awaited from the end of the turn, and say once of each that it does not come", () => {
    const { missing, transcripts, wait } = make()
    transcripts.turnEnded("a")
    wait(within - 1)
    transcripts.committed("a")
    expect([transcripts.isIdle(), transcripts.deadline()]).toEqual([false, 2 * within - 1])
    wait(within)
    transcripts.failed("a")
    expect([missing, transcripts.isIdle()]).toEqual([["a"], true])
  })

  it("are missing at once where nobody asked for any", () => {
    const { missing, transcripts } = make(false)
    transcripts.turnEnded("a")
    transcripts.committed("a")
    expect([missing, transcripts.isIdle()]).toEqual([["a"], true])
  })

  it("are not missed of what never became an item, came, or is gone", () => {
    const { missing, transcripts, wait } = make()
    transcripts.turnEnded("a cough")
    transcripts.committed("b")
    transcripts.settled("b")
    wait(within)
    expect([missing, transcripts.isIdle()]).toEqual([[], true])
  })

  it("do not come when the connection is lost, unless the server keeps the conversation", () => {
    for (const livesOn of [false, true]) {
      const { missing, transcripts, wait } = make()
      transcripts.turnEnded("a")
      transcripts.committed("b")
      transcripts.disconnected(livesOn)
      expect(missing).toEqual([])
      wait(0)
      expect(missing).toEqual(livesOn ? [] : ["b"])
      expect(transcripts.isIdle()).toBe(!livesOn)
    }
  })

  it("are awaited of so many turns at a time: the oldest give way, and are missing", () => {
    const { missing, transcripts } = make()
    for (let turn = 0; turn < 34; turn += 1) transcripts.committed(`turn ${turn}`)
    expect(missing).toEqual(["turn 0", "turn 1"])
  })
})
