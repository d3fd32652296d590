import type { Conversation, Item, Part } from "../Conversation.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ItemParam, UserMessageParam } from "../protocol/ItemParam.js"

/** An item that a client may put into a conversation again: audio only as its transcript, a call with its output. */
const toParam = (item: Item, id: string): ItemParam | undefined => {
  switch (item._tag) {
    case "FunctionCall": {
      const { arguments: text, callId, name } = item
      return { type: "function_call", id, call_id: callId, name, arguments: text }
    }
    case "FunctionCallOutput":
      return { type: "function_call_output", id, call_id: item.callId, output: item.output }
    case "Other":
      return undefined
    case "Message": {
      const texts = item.content.flatMap(wordsOf)
      switch (item.role) {
        case "assistant":
          return {
            type: "message",
            id,
            role: "assistant",
            content: texts.map((text) => ({ type: "output_text", text }))
          }
        case "system":
          return { type: "message", id, role: "system", content: texts.map((text) => ({ type: "input_text", text })) }
        case "user":
          return { type: "message", id, role: "user", content: item.content.flatMap(userPart) }
      }
    }
  }
}

const wordsOf = (part: Part): ReadonlyArray<string> => {
  const text = part._tag === "Text" ? part.text : part._tag === "Audio" ? part.transcript : undefined
  return text === undefined || text === "" ? [] : [text]
}

const userPart = (part: Part): UserMessageParam["content"] => {
  if (part._tag !== "Image") return wordsOf(part).map((text) => ({ type: "input_text", text }))
  return part.url === undefined ? [] : [{ type: "input_image", image_url: part.url }]
}

/**
 * What turns one conversation into another on the server: deletions of what is gone or changed, and creations, each
 * behind the item before it. Items that stay are not touched; the longest run that kept its order stays.
 */
export const editsBetween = (
  before: Conversation,
  after: Conversation,
  newId: (prefix: string) => string
): ReadonlyArray<ClientEvent> => {
  const known = new Map(before.items.map((item) => [item.id, item]))
  const kept = longestRun(
    before.items.map(({ id }) => id),
    after.items.filter((item) => known.get(item.id) === item).map(({ id }) => id)
  )
  const events: Array<ClientEvent> = []
  for (const { id } of before.items) {
    if (!kept.has(id)) events.push({ type: "conversation.item.delete", event_id: newId("del"), item_id: id })
  }
  let previous = "root"
  for (const item of after.items) {
    if (kept.has(item.id)) {
      previous = item.id
      continue
    }
    // A deleted id may not be used again at once.
    const id = newId("itm")
    const param = toParam(item, id)
    if (param === undefined) continue
    events.push({ type: "conversation.item.create", event_id: id, previous_item_id: previous, item: param })
    previous = id
  }
  return events
}

/** The ids of the longest common subsequence, for lists without repetitions: the longest rising run of places. */
const longestRun = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlySet<string> => {
  const place = new Map(before.map((id, index) => [id, index]))
  const best: Array<{ readonly place: number; readonly run: ReadonlyArray<string> }> = []
  for (const id of new Set(after)) {
    const at = place.get(id)
    if (at === undefined) continue
    let run: ReadonlyArray<string> = []
    for (const other of best) if (other.place < at && other.run.length > run.length) run = other.run
    best.push({ place: at, run: [...run, id] })
  }
  return new Set(
    best.reduce<ReadonlyArray<string>>((longest, { run }) => (run.length > longest.length ? run : longest), [])
  )
}
