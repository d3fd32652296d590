import { describe, expect, it } from "@effect/vitest"
import { inOrder } from "../../src/embedded/inOrder.js"
import type { CallItem, MessageItem, OutputItem, ServerItem } from "../../src/embedded/ServerItem.js"

const said = (id: string, role: MessageItem["role"], more: Partial<MessageItem> = {}): MessageItem => ({
  id,
  object: "realtime.item",
  type: "message",
  role,
  status: "completed",
  content: [],
  ...more
})

const called = (id: string): CallItem => ({
  id,
  object: "realtime.item",
  type: "function_call",
  status: "completed",
  name: "look",
  call_id: id,
  arguments: "{}"
})

const gave = (callId: string): OutputItem => ({
  id: `out_${callId}`,
  object: "realtime.item",
  type: "function_call_output",
  status: "completed",
  call_id: callId,
  output: "Done."
})

/** The ids in their order, where what is made has not seen these items. */
const ordered = (
  conversation: ReadonlyArray<ServerItem>,
  unseen: { readonly [made: string]: ReadonlyArray<string> } = {}
) =>
  inOrder({ conversation, hasSeen: (made, other) => unseen[made.id]?.includes(other.id) !== true }).map(({ id }) => id)

describe("The conversation in the order in which it was understood", () => {
  it("is as it stands where every response had seen all before it", () => {
    const items = [said("a", "user"), called("c"), gave("c"), said("b", "user"), said("s", "assistant")]
    expect(ordered(items)).toEqual(["a", "c", "out_c", "b", "s"])
  })

  it("has a question behind the calls that were made without it", () => {
    const items = [said("a", "user"), said("b", "user"), called("c"), called("d"), gave("c"), gave("d")]
    expect(ordered(items, { c: ["b"], d: ["b"] })).toEqual(["a", "c", "d", "b", "out_c", "out_d"])
  })

  it("has an output behind what was said without it", () => {
    const items = [said("a", "user"), called("c"), gave("c"), said("s", "assistant")]
    expect(ordered(items, { s: ["out_c"] })).toEqual(["a", "c", "s", "out_c"])
  })

  it("leaves out commentary, and at its end what was not completed", () => {
    const items = [said("a", "user"), called("c"), said("s", "assistant", { phase: "commentary" })]
    expect(ordered(items)).toEqual(["a", "c"])
    const cut = said("s", "assistant", { status: "incomplete" })
    expect(ordered([said("a", "user"), cut])).toEqual(["a"])
    expect(ordered([said("a", "user"), cut, said("b", "user")])).toEqual(["a", "s", "b"])
  })
})
