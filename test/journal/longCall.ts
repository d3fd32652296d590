/** The records of a long call, as a session writes them: somebody speaks every seven seconds, and half of it needs a tool. */
import type { Item } from "../../src/Conversation.js"
import type { JournalRecord } from "../../src/journal/Record.js"

const words =
  "Could you tell me whether there is a table for four tomorrow evening, please, and if so, which one is by the window?"
const output = JSON.stringify({
  tables: Array.from({ length: 12 }, (_, at) => ({ table: at + 1, seats: 4, from: "19:00", near: "the window" }))
})
const instructions = "You answer the telephone of a restaurant. Be brief, kind and exact. ".repeat(30)
const tools = Array.from({ length: 12 }, (_, at) => ({
  type: "function" as const,
  name: `tool_${at}`,
  description: "Looks something up that the caller has asked for, and says what it found.",
  parameters: { type: "object", properties: { people: { type: "integer" }, day: { type: "string" } } }
}))

const message = (id: string, role: "user" | "assistant", transcript: string | undefined): Item => ({
  _tag: "Message",
  id,
  role,
  status: "completed",
  content: [{ _tag: "Audio", transcript }]
})

/** One turn of the user, and the answer: 4 records, or 10 with a call. */
function* turnOf(at: number): Generator<JournalRecord> {
  const [user, called, out, answer] = [`item_${at}_user`, `item_${at}_call`, `out_${at}`, `item_${at}_answer`]
  const before = at === 0 ? "root" : `item_${at - 1}_answer`
  yield { _tag: "ItemFinal", item: message(user, "user", undefined), previousItemId: before }
  let last = user
  if (at % 2 === 0) {
    const callId = `call_${at}`
    const to = (to: Extract<JournalRecord, { readonly _tag: "CallTransition" }>["to"]): JournalRecord => ({
      _tag: "CallTransition",
      callId,
      to
    })
    const call = { name: "tool_1", arguments: '{"people":4,"day":"tomorrow"}' }
    yield {
      _tag: "ItemFinal",
      item: { _tag: "FunctionCall", id: called, callId, ...call, status: "completed" },
      previousItemId: user
    }
    yield to({
      _tag: "Arrived",
      itemId: called,
      responseId: `resp_${at}`,
      agent: "Host",
      tool: call.name,
      arguments: call.arguments
    })
    yield to({ _tag: "Started" })
    yield to({ _tag: "Settled", output, reply: true })
    yield {
      _tag: "ItemFinal",
      item: { _tag: "FunctionCallOutput", id: out, callId, output },
      previousItemId: called
    }
    yield to({ _tag: "Acknowledged", outputItemId: out })
    last = out
  }
  yield { _tag: "ItemFinal", item: message(user, "user", words), previousItemId: before }
  yield { _tag: "ItemFinal", item: message(answer, "assistant", words), previousItemId: last }
  // A handoff, or new settings.
  if (at % 20 === 0) yield { _tag: "SettingsConfirmed", agent: "Host", settings: { instructions, tools } }
}

export function* ofTurns(turns: number): Generator<JournalRecord> {
  yield { _tag: "SessionOpened", sessionId: "long", agent: "Host", at: 0 }
  for (let at = 0; at < turns; at += 1) yield* turnOf(at)
}

/** A turn every seven seconds. */
export const turnsOf = (hours: number): number => Math.floor((hours * 3600) / 7)
