import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import { heard } from "../../src/testing/heardLaw.js"
import { judge } from "../../src/testing/Law.js"
import type { Testing } from "../../src/testing.js"
import { observed } from "./observed.js"

const text = "Of course. Your code is 7429, and it is valid for a week."

const writes: Testing.Action = { _tag: "UserWrites", text: "My code?" }
const waits: Testing.Action = { _tag: "Waits", ms: 1_000 }
const drops: Testing.Action = { _tag: "ConnectionDrops" }
const interrupts: Testing.Action = { _tag: "Interrupts" }

const cutThenMoved = await observed(text, "audio", [writes, waits, interrupts, drops, waits])
const movedThenCut = await observed(text, "audio", [writes, drops, waits, interrupts, waits])
const written = await observed(text, "text", [writes, drops, waits])
/** Before any of it was heard here. */
const leftWhole = await observed(text, "audio", [writes, { _tag: "ServerTruncates", share: 1 }])

const broken = (observation: Testing.Observation) =>
  Effect.runSync(judge(heard, observation)).map(({ message }) => message)

/** What each connection was told that the model had said. */
const tellings = ({ timeline }: Testing.Observation) =>
  timeline.flatMap((moment) => (moment._tag === "Sent" ? textsOf(moment.event) : []))

const textsOf = (event: ClientEvent): ReadonlyArray<string> =>
  event.type === "conversation.item.create" && event.item.type === "message" && event.item.role === "assistant"
    ? event.item.content.map((part) => ("text" in part ? part.text : ""))
    : []

/** Where the model was told other words. */
const told = (observation: Testing.Observation, words: string) =>
  broken({
    ...observation,
    timeline: observation.timeline.map((moment): Testing.Moment => {
      if (moment._tag !== "Sent" || moment.event.type !== "conversation.item.create") return moment
      const { item } = moment.event
      if (item.type !== "message" || item.role !== "assistant") return moment
      return {
        ...moment,
        event: { ...moment.event, item: { ...item, content: [{ type: "output_text", text: words }] } }
      }
    })
  })

describe("Heard", () => {
  it("holds where another connection is told what was heard, and where it is corrected", () => {
    expect(tellings(cutThenMoved)).toEqual(["Of course. Your"])
    expect(tellings(movedThenCut)[0]).toBe(text)
    expect(tellings(movedThenCut)[1]?.length).toBeLessThan(text.length)
    for (const observation of [cutThenMoved, movedThenCut, written, leftWhole]) expect(broken(observation)).toEqual([])
  })

  it("sees unheard words that another process would tell, if this one died while they are said", () => {
    const forgotten = broken({
      ...cutThenMoved,
      timeline: cutThenMoved.timeline.map((moment) =>
        moment._tag === "Written"
          ? {
              ...moment,
              records: moment.records.flatMap((record) => {
                if (record._tag !== "ItemFinal") return record._tag === "ItemHeard" ? [] : record
                const { unheard: _, ...whole } = record
                return whole
              })
            }
          : moment
      )
    })
    expect(forgotten[0]).toMatch(
      /^Another process would send "Of course\..*" as item_1_1, but only "O?f?" was heard\.$/
    )
  })

  it("sees unheard words that another connection is told", () => {
    expect(told(cutThenMoved, text)[0]).toBe(
      `The model was sent ${JSON.stringify(text)} as item_1_1, but only "Of course. Your c" was heard.`
    )
    expect(told(cutThenMoved, "Of course. Your code").join()).toMatch(/^The model was sent .* as item_1_1,/)
    expect(told(written, `${text} Or not.`).join()).toMatch(/^The model was sent .* as item_1_1,/)
  })

  it("sees that a connection which was told more is not corrected", () => {
    expect(told(movedThenCut, text).join()).toMatch(/The model was sent .* as itm_\w+,/)
  })

  it("sees unheard words in the conversation", () => {
    const timeline = cutThenMoved.timeline.map((moment): Testing.Moment => {
      if (moment._tag !== "AtRest") return moment
      const items = moment.mirror.items.map((item) =>
        item._tag === "Message" && item.role === "assistant"
          ? { ...item, content: [{ _tag: "Text" as const, text }] }
          : item
      )
      return { ...moment, mirror: { items } }
    })
    expect(broken({ ...cutThenMoved, timeline })[0]).toMatch(/^The conversation has .* as item_1_1,/)
  })

  it("sees more said to be heard than there was time for", () => {
    const timeline = cutThenMoved.timeline.map(
      (moment): Testing.Moment =>
        moment._tag === "Published" && moment.event._tag === "AudioInterrupted"
          ? { ...moment, event: { ...moment.event, heardMs: 1_500 } }
          : moment
    )
    expect(broken({ ...cutThenMoved, timeline })[0]).toBe(
      "1500 ms of item_1_1 count as heard, but it began 1000 ms ago."
    )
  })

  it("sees that a guardrail's verdict is forgotten", () => {
    const timeline = cutThenMoved.timeline.map((moment): Testing.Moment => {
      if (moment._tag !== "AtRest") return moment
      const items = moment.mirror.items.map((item) =>
        item._tag === "Message" && item.role === "assistant" ? { ...item, blockedBy: "no_codes" } : item
      )
      return { ...moment, mirror: { items } }
    })
    expect(broken({ ...cutThenMoved, timeline })[0]).toBe(
      "item_1_1 was sent again, although a guardrail had stopped it."
    )
  })
})
