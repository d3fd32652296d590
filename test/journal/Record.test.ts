import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { decode, encode, type JournalRecord } from "../../src/journal/Record.js"
import { numRuns } from "../runs.js"
import * as arbitraries from "./arbitraries.js"

const encoded = (record: JournalRecord): string => Either.getOrThrow(encode(record))

describe("A record of a journal", () => {
  it("is read as it was written, whatever it says", () => {
    fc.assert(
      fc.property(arbitraries.record, (record) => {
        expect(Either.getOrThrow(decode(encoded(record)))).toEqual(record)
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("is one line of valid Unicode", () => {
    fc.assert(
      fc.property(arbitraries.record, (record) => {
        const line = encoded(record)
        expect(line).not.toContain("\n")
        expect(line).not.toContain("\u0000")
        expect(new TextDecoder().decode(new TextEncoder().encode(line))).toBe(line)
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("keeps fields that this version does not know", () => {
    const line = encoded({ _tag: "SessionOpened", sessionId: "s", agent: "A", at: 1 }).replace(
      '"at":1',
      '"at":1,"tz":"CET"'
    )
    expect(encoded(Either.getOrThrow(decode(line)))).toContain('"tz":"CET"')
  })

  it("is refused when a later version wrote it, as it may mean something else", () => {
    const line = encoded({ _tag: "ItemRemoved", itemId: "a" }).replace('"version":1', '"version":5')
    expect(decode(line)).toEqual(
      Either.left("it has version 5, but only versions up to 4 are supported. Update effect-realtime")
    )
  })

  it.each([
    ["nothing", "", "it is not JSON"],
    ["cut off", "{", "it is not JSON"],
    ["no record", "null", "it does not have the shape of a record"],
    ["of no kind", '{"version":1,"record":{"_tag":"Nothing"}}', "it does not have the shape of a record (at _tag)"],
    [
      "without a field",
      '{"version":1,"record":{"_tag":"CallTransition","callId":"c","to":{"_tag":"Settled","output":"my secret"}}}',
      "it does not have the shape of a record (at to.reply)"
    ],
    ["hostile", '{"version":1,"record":{"_tag":{"toString":1}}}', "it does not have the shape of a record"],
    [
      "nested deeply",
      `{"version":1,"record":{"_tag":${"[".repeat(9000)}${"]".repeat(9000)}}}`,
      "it does not have the shape of a record"
    ]
  ])("is refused when it is %s, without a word of what it holds", (_, line, reason) => {
    const refused = Either.getOrThrow(Either.flip(decode(line)))
    expect(refused.startsWith(reason)).toBe(true)
    expect(refused).not.toContain("secret")
  })

  it("is not written if JSON cannot hold it", () => {
    const item = { _tag: "Other", id: "a", type: "mcp_call", item: 1n } as const
    expect(encode({ _tag: "ItemFinal", item })).toEqual(
      Either.left("the ItemFinal has a value that JSON cannot represent")
    )
  })
})
