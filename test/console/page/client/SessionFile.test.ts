import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import * as SessionFile from "../../../../src/console/page/client/SessionFile.js"
import type { Entry } from "../../../../src/console/page/model/Entry.js"

const entries: ReadonlyArray<Entry> = [
  { _tag: "Heard", atMs: 0, level: 0.25 },
  { _tag: "Event", atMs: 10, event: { _tag: "SpeechStopped", itemId: "item", audioEndMs: 900 } },
  { _tag: "Spoken", atMs: 20, itemId: "answer", durationMs: 100, levels: [0.1, 0.2] },
  { _tag: "Problem", atMs: 30, title: "Connection lost", message: "The page reconnects." }
]

describe("A session's file", () => {
  it("is read as it was written", () => {
    const text = SessionFile.write("2026-11-30T20:00:00.000Z", "Concierge", entries)
    const file = Either.getOrThrow(SessionFile.read(text))
    expect(file.agent).toBe("Concierge")
    expect(file.entries).toEqual(entries)
  })

  it.each([
    ["is not JSON", "hello", /^This is not a session of the console: /],
    ["is of something else", "{}", /^This is not a session of the console at format: /],
    [
      "has an entry that is none",
      SessionFile.write("", "", entries).replace('"level":0.25', '"level":"loud"'),
      /^This is not a session of the console at entries\.0/
    ]
  ])("that %s says what is wrong", (_, text, message) => {
    expect(Either.flip(SessionFile.read(text))).toEqual(Either.right(expect.stringMatching(message)))
  })
})
