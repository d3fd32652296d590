import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { Item } from "../../src/Conversation.js"
import { type CallStage, type JournalRecord, recover } from "../../src/SessionJournal.js"
import { numRuns } from "../runs.js"
import * as arbitraries from "./arbitraries.js"

const opened: JournalRecord = { _tag: "SessionOpened", sessionId: "s", agent: "Front desk", at: 1 }
const ended: JournalRecord = { _tag: "SessionEnded", at: 9, reason: "closed" }
const message = (id: string, text = id): Item => ({
  _tag: "Message",
  id,
  role: "user",
  status: "completed",
  content: [{ _tag: "Text", text }]
})
const final = (item: Item, previousItemId?: string): JournalRecord => ({ _tag: "ItemFinal", item, previousItemId })
const call = (callId: string, to: CallStage): JournalRecord => ({ _tag: "CallTransition", callId, to })
const arrived = {
  _tag: "Arrived",
  itemId: "item_1",
  responseId: "resp_1",
  agent: "Front desk",
  tool: "book",
  arguments: "{}"
} as const
const started = { _tag: "Started" } as const
const settled = (output: string) => ({ _tag: "Settled", output, reply: true }) as const
const acknowledged = { _tag: "Acknowledged", outputItemId: "out_1" } as const

const idsOf = (...records: ReadonlyArray<JournalRecord>) => recover(records).items.map(({ id }) => id)
const callsOf = (...records: ReadonlyArray<JournalRecord>) =>
  recover(records).openCalls.map(({ callId, state }) => [callId, state])

describe("recover", () => {
  it("recovers nothing from a session without records", () => {
    expect(recover([])).toEqual({
      sessionId: undefined,
      agent: undefined,
      settings: undefined,
      items: [],
      toAnswer: new Set(),
      owed: new Set(),
      cutShort: new Set(),
      turnAudio: [],
      openCalls: [],
      ended: undefined
    })
  })

  it("gives the newest settings, and the agent that they belong to", () => {
    const settings = (agent: string, instructions: string): JournalRecord => ({
      _tag: "SettingsConfirmed",
      agent,
      settings: { instructions }
    })
    const recovered = recover([opened, settings("Front desk", "Be kind."), settings("Billing", "Be exact.")])
    expect(recovered).toMatchObject({ sessionId: "s", agent: "Billing", settings: { instructions: "Be exact." } })
  })

  it("tells how the session ended, until it is taken up again", () => {
    expect(recover([opened]).ended).toBeUndefined()
    expect(recover([opened, ended]).ended).toEqual({ at: 9, reason: "closed" })
    expect(recover([opened, ended, opened]).ended).toBeUndefined()
  })

  it("gives the items in the server's order, though what the user said is transcribed after the answer", () => {
    expect(idsOf(final(message("answer"), "question"), final(message("question")))).toEqual(["question", "answer"])
  })

  it("replaces an item where it stands", () => {
    const records = [
      final(message("a")),
      final(message("b"), "a"),
      final(message("c"), "b"),
      final(message("b", "new"))
    ]
    expect(recover(records).items).toEqual([message("a"), message("b", "new"), message("c")])
  })

  it("keeps the position of a removed item for those that name it", () => {
    const removed: JournalRecord = { _tag: "ItemRemoved", itemId: "b" }
    const late = final(message("d"), "b")
    expect(idsOf(final(message("a")), final(message("b"), "a"), final(message("c"), "a"), removed, late)).toEqual([
      "a",
      "c",
      "d"
    ])
  })

  const heard = (itemId: string, audio: string, contentIndex = 0): JournalRecord => ({
    _tag: "TurnAudioKept",
    itemId,
    contentIndex,
    format: { type: "audio/pcmu" },
    audio
  })
  const spoken = (id: string, transcript?: string): Item => ({
    _tag: "Message",
    id,
    role: "user",
    status: "completed",
    content: [{ _tag: "Audio", transcript }]
  })
  const audioOf = (...records: ReadonlyArray<JournalRecord>) =>
    recover(records).turnAudio.map(({ audio, itemId }) => [itemId, audio])

  it("has the sound of what the user said until its words are known, its item is gone, or it gave way", () => {
    const records = [
      heard("a", "AA=="),
      final(spoken("a")),
      heard("b", "Ag=="),
      final(spoken("b")),
      heard("c", "Aw=="),
      final(spoken("c"))
    ]
    expect(audioOf(...records)).toEqual([
      ["a", "AA=="],
      ["b", "Ag=="],
      ["c", "Aw=="]
    ])
    expect(audioOf(...records, final(spoken("b", " "))), "words of nothing").toHaveLength(3)
    const shorter = [
      final(spoken("b", "Hello.")),
      { _tag: "ItemRemoved", itemId: "c" },
      { _tag: "TurnAudioDropped", itemId: "a" }
    ] as const
    expect(audioOf(...records, ...shorter)).toEqual([])
    expect(audioOf(...records, ...shorter.slice(0, 2))).toEqual([["a", "AA=="]])
  })

  it("has of an answer the words that were known to be heard, until it was heard to its end, and marks it as cut", () => {
    const answer: Item = {
      _tag: "Message",
      id: "a",
      role: "assistant",
      status: "completed",
      content: [{ _tag: "Audio", transcript: "Your code is 7429." }]
    }
    const at = (heardMs: number, length: number) => [{ contentIndex: 0, heardMs, length }]
    const begun: JournalRecord = { _tag: "ItemFinal", item: answer, unheard: at(0, 0) }
    const later: JournalRecord = { _tag: "ItemHeard", itemId: "a", unheard: at(900, 10) }
    const over: JournalRecord = { _tag: "ItemHeard", itemId: "a", unheard: [] }
    const leftOf = (...records: ReadonlyArray<JournalRecord>) => {
      const { cutShort, items } = recover(records)
      return [items.flatMap((item) => (item._tag === "Message" ? item.content : [])), Array.from(cutShort)]
    }
    expect(leftOf(begun)).toEqual([[{ _tag: "Audio", transcript: "", cut: { heardMs: 0 } }], ["a"]])
    expect(leftOf(begun, later)).toEqual([[{ _tag: "Audio", transcript: "Your code", cut: { heardMs: 900 } }], ["a"]])
    expect(leftOf(begun, later, over)).toEqual([answer.content, []])
    expect(leftOf(begun, final(answer))).toEqual([answer.content, []])
  })

  it("has a call open from its arrival until the server has its output", () => {
    const records = [call("c", arrived), call("c", started), call("c", settled("42")), call("c", acknowledged)]
    expect(callsOf(...records.slice(0, 1))).toEqual([["c", { _tag: "Arrived" }]])
    expect(callsOf(...records.slice(0, 2))).toEqual([["c", started]])
    expect(callsOf(...records.slice(0, 3))).toEqual([["c", settled("42")]])
    expect(callsOf(...records)).toEqual([])
    const { _tag, ...what } = arrived
    const open = { callId: "c", ...what, state: { _tag }, isWithdrawn: false }
    expect(recover(records.slice(0, 1)).openCalls).toEqual([open])
    const withdrawn = [...records.slice(0, 1), call("c", { _tag: "Withdrawn" })]
    expect(recover(withdrawn).openCalls).toEqual([{ ...open, isWithdrawn: true }])
  })

  it("knows a call that settled without running, such as one that was refused", () => {
    expect(callsOf(call("c", arrived), call("c", settled("no")))).toEqual([["c", settled("no")]])
  })

  it("keeps the first output of a call, which the model may have read", () => {
    expect(callsOf(call("c", arrived), call("c", settled("1")), call("c", started), call("c", settled("2")))).toEqual([
      ["c", settled("1")]
    ])
  })

  it("does not open a call again: its id was answered", () => {
    expect(callsOf(call("c", arrived), call("c", acknowledged), call("c", arrived))).toEqual([])
  })

  const few = fc.constantFrom("a", "b", "c")
  const records = fc.array(
    fc.oneof(
      arbitraries.record,
      fc.record({ _tag: fc.constant("CallTransition" as const), callId: few, to: arbitraries.stage }),
      fc
        .record({ id: few, previousItemId: fc.option(few, { nil: undefined }) })
        .map(({ id, previousItemId }) => final(message(id), previousItemId)),
      few.map((itemId): JournalRecord => ({ _tag: "ItemRemoved", itemId }))
    ),
    { maxLength: 40 }
  )

  it("has each item that is final and not removed once, in its newest shape, whatever came", () => {
    fc.assert(
      fc.property(records, (records) => {
        const expected = new Map<string, Item>()
        for (const record of records) {
          if (record._tag === "ItemFinal") expected.set(record.item.id, record.item)
          if (record._tag === "ItemRemoved") expected.delete(record.itemId)
        }
        const { cutShort, items } = recover(records)
        expect(items).toHaveLength(expected.size)
        for (const item of items) if (!cutShort.has(item.id)) expect(item).toBe(expected.get(item.id))
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("has those calls open that arrived and were not acknowledged before or after, whatever came", () => {
    fc.assert(
      fc.property(records, (records) => {
        const stagesOf = (callId: string) =>
          records.flatMap((record) => (record._tag === "CallTransition" && record.callId === callId ? [record.to] : []))
        const ids = new Set(records.flatMap((record) => (record._tag === "CallTransition" ? [record.callId] : [])))
        const { openCalls } = recover(records)
        const open = Array.from(ids).filter((id) => {
          const tags = stagesOf(id).map(({ _tag }) => _tag)
          return tags.includes("Arrived") && !tags.includes("Acknowledged")
        })
        expect(openCalls.map(({ callId }) => callId).sort()).toEqual(open.sort())
        for (const { callId, state } of openCalls) {
          const stages = stagesOf(callId)
          const since = stages.slice(stages.findIndex(({ _tag }) => _tag === "Arrived"))
          const output = since.find(({ _tag }) => _tag === "Settled")
          const start = since.find(({ _tag }) => _tag === "Started")
          expect(state).toEqual(output ?? start ?? { _tag: "Arrived" })
        }
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("recovers the same from a session that is read in two parts", () => {
    fc.assert(
      fc.property(records, (records) => {
        function* inParts() {
          yield* records.slice(0, 7)
          yield* records.slice(7)
        }
        expect(recover(inParts())).toEqual(recover(records))
      }),
      { numRuns: numRuns(100) }
    )
  })
})
