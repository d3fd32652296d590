import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fold from "../../src/journal/Fold.js"
import * as memory from "../../src/journal/memory.js"
import { encode, type JournalRecord } from "../../src/journal/Record.js"
import { recover } from "../../src/journal/recover.js"
import * as RecordWriter from "../../src/session/RecordWriter.js"
import * as longCall from "./longCall.js"

const lengthOf = (records: Iterable<JournalRecord>): number =>
  Array.from(records).reduce((sum, record) => sum + Either.getOrThrow(encode(record)).length, 0)

describe("The journal of a long call", () => {
  it.scoped("stays as long as its conversation, and is compacted ever more seldom", () =>
    Effect.gen(function* () {
      const journal = memory.make()
      const writer = yield* journal.open("long")
      const compactions: Array<number> = []
      let count = 0
      const recorder = yield* RecordWriter.RecordWriter.make({
        writer: {
          ...writer,
          replace: (records) => {
            compactions.push(count)
            return writer.replace(records)
          }
        },
        fold: Fold.make(),
        written: { snapshot: 0, behind: 0 },
        lag: { maxRecords: 4096, maxCharacters: 16_777_216, maxDuration: 30_000 },
        compactAfter: 20_000,
        now: () => 0,
        changed: () => undefined
      })
      const all = Array.from(longCall.ofTurns(longCall.turnsOf(1)))
      let longest = 0
      for (const record of all) {
        recorder.push(record)
        count += 1
        yield* Effect.async<void>((resume) => recorder.whenWritten(() => resume(Effect.void)))
        if (count % 100 === 0) longest = Math.max(longest, lengthOf(yield* journal.read("long")))
      }
      const kept = yield* journal.read("long")
      const fold = Fold.make()
      for (const record of all) fold.apply(record)
      expect(recover(kept)).toEqual(fold.recovered())

      const shortest = lengthOf(fold.snapshot())
      expect(longest).toBeLessThan(2.5 * shortest)
      expect(lengthOf(all)).toBeGreaterThan(1.5 * shortest)
      // Each has twice as much before it as the one before: the rewritten records stay in proportion.
      expect(compactions.length).toBeGreaterThan(3)
      expect(compactions.length).toBeLessThan(16)
    })
  )
})

describe("The journal of a caller's voice", () => {
  const started = (lag: { readonly maxCharacters: number }) =>
    Effect.gen(function* () {
      const journal = memory.make()
      const recorder = yield* RecordWriter.RecordWriter.make({
        writer: yield* journal.open("voice"),
        fold: Fold.make(),
        written: { snapshot: 0, behind: 0 },
        lag: { maxRecords: 4096, maxDuration: 30_000, ...lag },
        compactAfter: 20_000,
        now: () => 0,
        changed: () => undefined
      })
      const written = Effect.async<string>((resume) => recorder.whenWritten(({ _tag }) => resume(Effect.succeed(_tag))))
      // The journal is compacted in the background.
      const records = Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 20), journal.read("voice"))
      return { recorder, written, tags: Effect.map(records, (all) => all.map(({ _tag }) => _tag)) }
    })
  const kept = (itemId: string, characters: number): JournalRecord => ({
    _tag: "TurnAudioKept",
    itemId,
    contentIndex: 0,
    format: { type: "audio/pcmu" },
    audio: "A".repeat(characters)
  })

  it.scoped("has none of it soon after its words came, however long it was", () =>
    Effect.gen(function* () {
      const { recorder, tags, written } = yield* started({ maxCharacters: 16_777_216 })
      recorder.push(kept("a", 400_000))
      yield* written
      expect(yield* tags).toEqual(["TurnAudioKept", "Snapshot"])
      recorder.push({
        _tag: "ItemFinal",
        item: {
          _tag: "Message",
          id: "a",
          role: "user",
          status: "completed",
          content: [{ _tag: "Audio", transcript: "Hello." }]
        }
      })
      yield* written
      expect(yield* tags).toEqual(["Snapshot"])
    })
  )

  it.scoped("is not given up for one long turn", () =>
    Effect.gen(function* () {
      const { recorder, written } = yield* started({ maxCharacters: 1_000 })
      recorder.push(kept("a", 4_000))
      expect(yield* written).toBe("Written")
    })
  )
})
