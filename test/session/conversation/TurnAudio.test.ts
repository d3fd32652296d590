import { describe, expect, it } from "@effect/vitest"
import { vi } from "vitest"
import type { TurnAudioKept } from "../../../src/journal/Record.js"
import { parts } from "../parts.js"

const format = { type: "audio/pcmu" } as const

const make = (isWritten: boolean) => {
  const written: Array<Omit<TurnAudioKept, "_tag">> = []
  const dropped: Array<string> = []
  const { session } = parts({ options: { untranscribedAudio: { maxBytes: 1_000, journal: isWritten } } })
  const { turnAudio } = session
  vi.spyOn(session.recorder, "turnAudio").mockImplementation((kept) => written.push(kept))
  vi.spyOn(session.recorder, "turnAudioDropped").mockImplementation((itemId) => dropped.push(itemId))
  turnAudio.load([{ _tag: "TurnAudioKept", itemId: "before", contentIndex: 0, format, audio: "AAAA" }])
  turnAudio.keep("today", 0, new Uint8Array([1, 2, 3]), format)
  written.length = 0
  turnAudio.rename("before", "before2")
  turnAudio.rename("today", "today2")
  return { turnAudio, dropped, ids: () => written.map(({ itemId }) => itemId) }
}

describe("A turn that is renamed", () => {
  it("has its sound in the journal still, and not for the first time, where this session did not choose that", () => {
    const { dropped, ids, turnAudio } = make(false)
    expect(ids()).toEqual(["before2"])
    turnAudio.forget("today2")
    turnAudio.forget("before2")
    expect(dropped).toEqual(["before2"])
  })

  it("has its sound in the journal, where this session chose that", () => {
    expect(make(true).ids()).toEqual(["before2", "today2"])
  })
})
