import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Fold from "../../src/journal/Fold.js"
import { decode, encode, type JournalRecord } from "../../src/journal/Record.js"
import { recover } from "../../src/journal/recover.js"
import { numRuns } from "../runs.js"
import * as arbitraries from "./arbitraries.js"

const few = fc.constantFrom("a", "b", "c", "d")
const maybeFew = fc.option(few, { nil: undefined })

/** Records about few items and calls, so that they meet. */
const records: fc.Arbitrary<ReadonlyArray<JournalRecord>> = fc.array(
  fc.oneof(
    { weight: 1, arbitrary: arbitraries.record },
    {
      weight: 3,
      arbitrary: fc.record({ _tag: fc.constant("CallTransition" as const), callId: few, to: arbitraries.stage })
    },
    {
      weight: 3,
      arbitrary: fc
        .record({
          item: arbitraries.item,
          id: few,
          previousItemId: maybeFew,
          unheard: fc.option(arbitraries.unheard, { nil: undefined }),
          isOwed: fc.boolean()
        })
        .map(
          ({ id, isOwed, item, previousItemId, unheard }): JournalRecord => ({
            _tag: "ItemFinal",
            item: { ...item, id },
            ...(previousItemId === undefined ? {} : { previousItemId }),
            ...(unheard === undefined ? {} : { unheard }),
            ...(isOwed ? { owed: true } : {})
          })
        )
    },
    {
      weight: 2,
      arbitrary: fc.record({ _tag: fc.constant("ItemHeard" as const), itemId: few, unheard: arbitraries.unheard })
    },
    { weight: 1, arbitrary: few.map((itemId): JournalRecord => ({ _tag: "ItemRemoved", itemId })) },
    {
      weight: 2,
      arbitrary: fc
        .record({ itemId: few, contentIndex: fc.nat({ max: 2 }), audio: fc.base64String({ maxLength: 12 }) })
        .map((kept): JournalRecord => ({ _tag: "TurnAudioKept", format: { type: "audio/pcmu" }, ...kept }))
    },
    {
      weight: 1,
      arbitrary: fc
        .record({ itemId: few, contentIndex: fc.option(fc.nat({ max: 2 }), { nil: undefined }) })
        .map((dropped): JournalRecord => ({ _tag: "TurnAudioDropped", ...dropped }))
    }
  ),
  { maxLength: 30 }
)

const stages = ["Arrived", "Started", "Withdrawn", "Settled", "Acknowledged"]

/** As a session writes them: the stages of a call in their order. */
const inOrder = (records: ReadonlyArray<JournalRecord>): ReadonlyArray<JournalRecord> => {
  const rank = (record: JournalRecord) => (record._tag === "CallTransition" ? stages.indexOf(record.to._tag) : -1)
  return records.toSorted((one, other) => rank(one) - rank(other))
}

const foldOf = (records: Iterable<JournalRecord>): Fold.Fold => {
  const fold = Fold.make()
  for (const record of records) fold.apply(record)
  return fold
}

const read = (records: Iterable<JournalRecord>): ReadonlyArray<JournalRecord> =>
  Array.from(records, (record) => Either.getOrThrow(decode(Either.getOrThrow(encode(record)))))

const said = (at: number): JournalRecord => ({
  _tag: "ItemFinal",
  item: {
    _tag: "Message",
    id: `item_${at}`,
    role: "user",
    status: "completed",
    content: [{ _tag: "Text", text: "x".repeat(400) }]
  },
  previousItemId: at === 0 ? "root" : `item_${at - 1}`
})

describe("A long conversation", () => {
  it("is put in order in steps, so that other sessions of the process go on meanwhile", () => {
    const steps = foldOf(Array.from({ length: 50_000 }, (_, at) => said(at))).recovering()
    let pauses = 0
    let step = steps.next()
    for (; step.done !== true; step = steps.next()) pauses += 1
    expect(pauses).toBeGreaterThan(5)
    expect(step.value.items.at(-1)?.id).toBe("item_49999")
    expect(step.value.items).toHaveLength(50_000)
  })

  it("is put in order at once if it is short, without waiting for a timer", () => {
    expect(
      foldOf(Array.from({ length: 1000 }, (_, at) => said(at)))
        .recovering()
        .next().done
    ).toBe(true)
  })
})

describe("A snapshot of a journal", () => {
  it("means what the records mean that it stands for, whatever follows", () => {
    fc.assert(
      fc.property(records, records, (before, after) => {
        const snapshot = read(foldOf(before).snapshot())
        expect(recover(snapshot)).toEqual(recover(before))
        expect(recover([...snapshot, ...after])).toEqual(recover([...before, ...after]))
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("means the same when it was made of another one", () => {
    fc.assert(
      fc.property(records, records, records, (one, two, three) => {
        const first = foldOf(one).snapshot()
        const second = foldOf([...read(first), ...two]).snapshot()
        expect(recover([...read(second), ...three])).toEqual(recover([...one, ...two, ...three]))
      }),
      { numRuns: numRuns(300) }
    )
  })

  it("has long conversations in pieces, each of which is written in no time", () => {
    const all = Array.from({ length: 2000 }, (_, at) => said(at))
    const pieces = Array.from(foldOf(all).snapshot())
    const lengths = pieces.map((piece) => Either.getOrThrow(encode(piece)).length)
    expect(pieces.length).toBeGreaterThan(10)
    expect(Math.max(...lengths)).toBeLessThan(131_072)
    expect(recover(pieces)).toEqual(recover(all))
  })

  it("forgets the oldest calls that are over, as the session does", () => {
    const over = (at: number): JournalRecord => ({
      _tag: "CallTransition",
      callId: `call_${at}`,
      to: { _tag: "Acknowledged" }
    })
    const pieces = Array.from(foldOf(Array.from({ length: 5000 }, (_, at) => over(at))).snapshot())
    const closed = pieces.flatMap((piece) => (piece._tag === "Snapshot" ? piece.closed : []))
    expect(closed).toHaveLength(1024)
    expect(closed.at(-1)).toBe("call_4999")
  })

  it("is refused by a version that knows none, which says so", () => {
    const [piece] = foldOf([]).snapshot()
    expect(piece && Either.getOrThrow(encode(piece))).toContain('"version":2')
    const opened = { _tag: "SessionOpened", sessionId: "s", agent: "A", at: 1 } as const
    expect(Either.getOrThrow(encode(opened))).toContain('"version":1')
  })
})

describe("Records that are written again, as their writer could not know that they had been", () => {
  it("change nothing", () => {
    fc.assert(
      fc.property(records, records.map(inOrder), records, (before, again, after) => {
        expect(recover([...before, ...again, ...again, ...after])).toEqual(recover([...before, ...again, ...after]))
      }),
      { numRuns: numRuns(1000) }
    )
  })
})
