import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Item, Part } from "../../../src/Conversation.js"
import type { Kept } from "../../../src/session/conversation/itemParam.js"
import { type Limits, replayOf } from "../../../src/session/conversation/replay.js"
import { numRuns } from "../../runs.js"

const text = (words: string): Part => ({ _tag: "Text", text: words })
const message = (id: string, role: "user" | "assistant" | "system", ...content: ReadonlyArray<Part>): Item => ({
  _tag: "Message",
  id,
  role,
  status: "completed",
  content
})
const call = (id: string, callId: string, status: "completed" | "in_progress" = "completed"): Item => ({
  _tag: "FunctionCall",
  id,
  callId,
  name: "weather",
  arguments: "{}",
  status
})
const output = (id: string, callId: string): Item => ({ _tag: "FunctionCallOutput", id, callId, output: "sunny" })

const wide: Limits = { maxItems: 100, maxCharacters: 10_000, maxTextCharacters: 10_000 }
const replay = (
  items: ReadonlyArray<Item>,
  open: ReadonlyArray<string> = [],
  limits = wide,
  heard: Kept["told"] = () => undefined
) => {
  let count = 0
  return replayOf(
    { items },
    new Set(open),
    limits,
    (prefix) => {
      count += 1
      return `${prefix}_new_${count}`
    },
    { told: heard, get: (itemId, index) => (heard(itemId, index) === undefined ? undefined : {}) }
  )
}
const idsOf = (replay: { readonly items: ReadonlyArray<{ readonly id: string }> }) => replay.items.map(({ id }) => id)

describe("§7: the conversation is told to another connection", () => {
  it("in its order, audio as its transcript", () => {
    const { items, omitted } = replay([
      message("u1", "user", { _tag: "Audio", transcript: "Hello?" }),
      message("a1", "assistant", { _tag: "Audio", transcript: "Good day!" }),
      message("s1", "system", text("Be brief.")),
      message("u2", "user", { _tag: "Image", url: "data:image/png;base64,AA" }, text("What is this?"))
    ])
    expect(items).toEqual([
      { type: "message", id: "u1", role: "user", content: [{ type: "input_text", text: "Hello?" }] },
      { type: "message", id: "a1", role: "assistant", content: [{ type: "output_text", text: "Good day!" }] },
      { type: "message", id: "s1", role: "system", content: [{ type: "input_text", text: "Be brief." }] },
      {
        type: "message",
        id: "u2",
        role: "user",
        content: [
          { type: "input_image", image_url: "data:image/png;base64,AA" },
          { type: "input_text", text: "What is this?" }
        ]
      }
    ])
    expect(omitted).toEqual([])
  })

  it("with what the user said, where it has no words", () => {
    const said = [
      message("u1", "user", { _tag: "Audio", transcript: undefined }),
      message("u2", "user", { _tag: "Audio", transcript: "Hello?" }),
      message("u3", "user", text("Look:"), { _tag: "Audio", transcript: "" })
    ]
    const { items, omitted } = replay(said, [], wide, (itemId, index) => `${itemId}/${index}`)
    expect(items).toMatchObject([
      { id: "u1", content: [{ type: "input_audio", audio: "u1/0" }] },
      { id: "u2", content: [{ type: "input_text", text: "Hello?" }] },
      {
        id: "u3",
        content: [
          { type: "input_text", text: "Look:" },
          { type: "input_audio", audio: "u3/1" }
        ]
      }
    ])
    expect(omitted).toEqual([])
  })

  it("without a part that no longer exists, and reports its item", () => {
    const gone: Part = { _tag: "Audio", transcript: undefined }
    const { incomplete, items, omitted } = replay([
      message("u1", "user", text("Look:"), { _tag: "Image", url: undefined }),
      message("u2", "user", gone, text("What was that?")),
      message("u3", "user", text("Whole."), { _tag: "Audio", transcript: "" }),
      message("a1", "assistant", { _tag: "Audio", transcript: "I say" }, { ...gone, cut: { heardMs: 0 } })
    ])
    expect(items).toMatchObject([
      { id: "u1", content: [{ type: "input_text", text: "Look:" }] },
      { id: "u2", content: [{ type: "input_text", text: "What was that?" }] },
      { id: "u3" },
      { id: "a1" }
    ])
    expect({ incomplete, omitted }).toEqual({ incomplete: ["u1", "u2"], omitted: [] })
  })

  it("with images as closely looked at as before", () => {
    const image = message("u1", "user", { _tag: "Image", url: "data:image/png;base64,AA", detail: "low" })
    expect(replay([image]).items).toMatchObject([
      { content: [{ type: "input_image", image_url: "data:image/png;base64,AA", detail: "low" }] }
    ])
  })

  it("within its bound, images and audio too", () => {
    const images = ["a", "b", "c"].map((id) => message(id, "user", { _tag: "Image", url: "x".repeat(6000) }))
    expect(idsOf(replay(images))).toEqual(["c"])
    const said = ["a", "b", "c"].map((id) => message(id, "user", { _tag: "Audio", transcript: undefined }))
    expect(idsOf(replay(said, [], wide, () => "x".repeat(4000)))).toEqual(["b", "c"])
  })

  it("within the bound of its text, however much may be sent of the rest", () => {
    const said = ["a", "b", "c"].map((id) =>
      message(id, "user", text("12345"), { _tag: "Image", url: "x".repeat(1000) })
    )
    expect(idsOf(replay(said, [], { ...wide, maxTextCharacters: 11 }))).toEqual(["b", "c"])
  })

  it("without what no event can carry, though it is the newest", () => {
    const limits = { maxItems: 100, maxCharacters: Number.POSITIVE_INFINITY, maxTextCharacters: 10_000_000 }
    const image = (id: string, mebibytes: number) =>
      message(id, "user", { _tag: "Image", url: "x".repeat(mebibytes * 2 ** 20) })
    const { items, omitted } = replay([image("a", 14), image("b", 15)], [], limits)
    expect(items.map(({ id }) => id)).toEqual(["a"])
    expect(omitted).toEqual(["b"])
    // Three bytes each in UTF-8.
    expect(replay([message("c", "user", text("が".repeat(6 * 2 ** 20)))], [], limits).omitted).toEqual(["c"])
    expect(replay([message("d", "user", text("a".repeat(6 * 2 ** 20)))], [], limits).omitted).toEqual([])
  })

  it("calls with their outputs", () => {
    expect(replay([call("c1", "call_1"), output("o1", "call_1")]).items).toEqual([
      { type: "function_call", id: "c1", call_id: "call_1", name: "weather", arguments: "{}" },
      { type: "function_call_output", id: "o1", call_id: "call_1", output: "sunny" }
    ])
  })

  it("open calls without an output, which follows", () => {
    expect(idsOf(replay([call("c1", "call_1")], ["call_1"]))).toEqual(["c1"])
  })

  it("without calls that will not be answered, or that were cut off", () => {
    const { items, omitted } = replay([call("c1", "call_1"), call("c2", "call_2", "in_progress")], ["call_2"])
    expect(items).toEqual([])
    expect(omitted).toEqual(["c2", "c1"])
  })

  it("without an output whose call is not there, for the server would refuse it", () => {
    expect(replay([output("o1", "call_1")]).omitted).toEqual(["o1"])
  })

  it("without items that have no words: audio whose transcript never came, and items of hosted tools", () => {
    const other: Item = { _tag: "Other", id: "m1", type: "mcp_list_tools", item: {} }
    expect(replay([message("u1", "user", { _tag: "Audio", transcript: undefined }), other]).omitted).toEqual([
      "m1",
      "u1"
    ])
  })

  it("with the newest items if there are too many", () => {
    const items = ["a", "b", "c", "d"].map((id) => message(id, "user", text("12345")))
    expect(idsOf(replay(items, [], { maxItems: 2, maxCharacters: 100, maxTextCharacters: 10_000 }))).toEqual(["c", "d"])
    expect(idsOf(replay(items, [], { maxItems: 9, maxCharacters: 14, maxTextCharacters: 10_000 }))).toEqual(["c", "d"])
  })

  it("with the newest item however long it is, and with its call: the model was about to speak of it", () => {
    const long = { maxItems: 9, maxCharacters: 3, maxTextCharacters: 10_000 }
    const said = ["a", "b"].map((id) => message(id, "user", text("12345")))
    expect(idsOf(replay(said, [], long))).toEqual(["b"])
    const answered = [...said, call("c1", "call_1"), output("o1", "call_1")]
    expect(idsOf(replay(answered, [], long))).toEqual(["c1", "o1"])
    expect(
      idsOf(replay(answered, [], { maxItems: 0, maxCharacters: 3, maxTextCharacters: 10_000 })),
      "not where none is wanted"
    ).toEqual([])
  })

  it("with an open call, however old it is: its output must find it", () => {
    const items = [call("c1", "call_1"), ...["a", "b", "c"].map((id) => message(id, "user", text("12345")))]
    expect(idsOf(replay(items, ["call_1"], { maxItems: 1, maxCharacters: 100, maxTextCharacters: 10_000 }))).toEqual([
      "c1",
      "c"
    ])
  })

  it("never with half of a call: a call left out takes its output with it", () => {
    const items = [call("c1", "call_1"), output("o1", "call_1"), message("a", "user", text("1"))]
    const cut = replay(items, [], { maxItems: 2, maxCharacters: 100, maxTextCharacters: 10_000 })
    expect(idsOf(cut)).toEqual(["a"])
    expect(cut.omitted.toSorted()).toEqual(["c1", "o1"])
  })

  it("under new ids where the server's own are longer than a client's may be", () => {
    const long = "item_0123456789012345678901234567890123456789"
    expect(replay([message(long, "user", text("Hi"))])).toMatchObject({
      items: [{ id: "itm_new_1" }],
      omitted: [],
      renamed: [{ from: long, to: "itm_new_1" }]
    })
  })

  it("every output after its call, every id once, whatever was said", () => {
    const item = FastCheck.integer({ min: 0, max: 6 }).chain((n) =>
      FastCheck.constantFrom<ReadonlyArray<Item>>(
        [call(`c${n}`, `call_${n}`), output(`o${n}`, `call_${n}`)],
        [call(`c${n}`, `call_${n}`)],
        [output(`o${n}`, `call_${n}`)],
        [message(`m${n}`, "user", text("hello"))]
      )
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.uniqueArray(item, { maxLength: 20, selector: (some) => some.map(({ id }) => id).join() }),
        FastCheck.integer({ min: 1, max: 12 }),
        FastCheck.subarray(["call_1", "call_2", "call_3"]),
        (groups, maxItems, open) => {
          const seen = new Set<string>()
          const items = groups.flat().filter(({ id }) => !seen.has(id) && seen.add(id))
          const { items: told, omitted } = replay(items, open, {
            maxItems,
            maxCharacters: 1000,
            maxTextCharacters: 10_000
          })
          const calls = new Set<string>()
          for (const param of told) {
            if (param.type === "function_call") calls.add(param.call_id ?? "")
            if (param.type === "function_call_output") expect(calls).toContain(param.call_id)
          }
          const ids = [...told.map(({ id }) => id), ...omitted].toSorted()
          expect(ids).toEqual(items.map(({ id }) => id).toSorted())
        }
      ),
      { numRuns: numRuns(1000) }
    )
  })
})
