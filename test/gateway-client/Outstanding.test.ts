import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import { maxReports, maxWaiting, maxWaitingBytes } from "../../src/gateway-client/bounds.js"
import { Outstanding, type Reply } from "../../src/gateway-client/Outstanding.js"

const setUp = () => {
  const outstanding = new Outstanding()
  const replies: Array<Reply> = []
  const add = (text: string, maxBytes = 1_000_000) =>
    outstanding.add({ _tag: "SendText", text }, maxBytes, (reply) => replies.push(reply))
  return { outstanding, replies, add }
}

describe("Commands without an answer", () => {
  it("are numbered, and sent again in order until they are answered", () => {
    const { add, outstanding, replies } = setUp()
    expect(add("one")).toEqual(Either.right('{"_tag":"SendText","id":1,"text":"one"}'))
    add("two")
    outstanding.answered(1, { _tag: "Done" })
    outstanding.answered(1, { _tag: "Done" })
    outstanding.answered(7, { _tag: "Done" })
    expect(replies).toEqual([{ _tag: "Done" }])
    expect(outstanding.again).toEqual(['{"_tag":"SendText","id":2,"text":"two"}'])
    outstanding.end()
    expect(replies).toEqual([{ _tag: "Done" }, { _tag: "Over" }])
    expect(outstanding.again).toEqual([])
  })

  it("have a bound on their bytes, except for the first", () => {
    const { add, outstanding } = setUp()
    expect(Either.isRight(add("x".repeat(maxWaitingBytes), 2 * maxWaitingBytes))).toBe(true)
    expect(add("more")).toEqual(Either.left("TooMany"))
    outstanding.answered(1, { _tag: "Done" })
    expect(Either.isRight(add("more"))).toBe(true)
  })

  it("have a bound on their number", () => {
    const { add, outstanding } = setUp()
    for (let count = 0; count < maxWaiting; count += 1) add("x")
    expect(add("x")).toEqual(Either.left("TooMany"))
    expect(Either.isRight(outstanding.add({ _tag: "HangUp" }, 100, () => undefined))).toBe(true)
  })

  it("are measured in bytes of UTF-8", () => {
    const { add } = setUp()
    expect(add("é".repeat(40), 80)).toEqual(Either.left("TooLarge"))
    expect(Either.isRight(add("e".repeat(40), 80))).toBe(true)
  })
})

describe("Playback reports", () => {
  it("are sent again: the latest of each of the last parts", () => {
    const { outstanding } = setUp()
    for (let item = 0; item <= maxReports; item += 1) {
      outstanding.played({ _tag: "Played", itemId: `item${item}`, contentIndex: 0, heardMs: 1 })
    }
    outstanding.played({ _tag: "Played", itemId: "item1", contentIndex: 0, heardMs: "finished" })
    const { again } = outstanding
    expect(again.length).toBe(maxReports)
    expect(again[0]).toContain("item2")
    expect(again.at(-1)).toBe('{"_tag":"Played","itemId":"item1","contentIndex":0,"heardMs":"finished"}')
  })
})
