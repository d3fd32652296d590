import type { Item as ConversationItem } from "../../Conversation.js"
import { type Item, isKnownItem, type McpCallItem, type McpListToolsItem } from "../../protocol/Item.js"
import type { ServerEvent } from "../../protocol/ServerEvent.js"
import { removeItem } from "../conversation/items.js"
import type { Parts } from "../Parts.js"

/** Handles events about the conversation's items. Returns whether the event was one of them. */
export const routeItemEvent = (event: ServerEvent, session: Parts): boolean => {
  const { outbox } = session
  switch (event.type) {
    case "conversation.item.created":
    case "conversation.item.added":
      if (isToldAgain(event.item, session)) place(event, session)
      else {
        added(event.item, event.previous_item_id ?? undefined, session, (item) => {
          // A server may announce an item only once, and the item must be written down before the acknowledgement
          // below. A list of tools may never be read to its end, but other items stand behind it.
          if (event.type === "conversation.item.created" || item._tag !== "Other" || isMcpList(event.item)) {
            final(item, session)
          }
        })
      }
      acknowledge(event.item, session)
      if (isMcpCall(event.item)) session.hostedCalls.seen(event.item, undefined)
      if (isMcpList(event.item)) session.hostedImports?.listed(event.item, event.item.tools.length > 0)
      break
    case "conversation.item.done": {
      if (isToldAgain(event.item, session)) {
        place(event, session)
        acknowledge(event.item, session)
        break
      }
      const item = session.cuts.ended(put(event.item, event.previous_item_id ?? undefined, session), "Ended")
      final(item, session)
      acknowledge(event.item, session)
      if (item !== undefined) outbox.publish({ _tag: "ItemCompleted", item })
      if (isMcpCall(event.item)) session.hostedCalls.seen(event.item, undefined)
      if (isMcpList(event.item)) session.hostedImports?.listed(event.item, true)
      break
    }
    case "conversation.item.deleted":
      session.edits.acknowledged(event.item_id)
      session.transcripts.settled(event.item_id)
      removeItem(session, event.item_id)
      break
    case "conversation.item.retrieved":
      if (!isToldAgain(event.item, session)) added(event.item, undefined, session, (item) => final(item, session))
      if (isMcpCall(event.item)) session.hostedCalls.seen(event.item, undefined)
      outbox.publish({ _tag: "ServerEventReceived", type: event.type, event })
      break
    case "conversation.item.truncated":
      session.speech.truncated(event.item_id, event.content_index, event.audio_end_ms)
      outbox.publish({ _tag: "ServerEventReceived", type: event.type, event })
      break
    case "conversation.item.input_audio_transcription.delta":
      outbox.publish({
        _tag: "UserTranscriptDelta",
        ...partOf(event),
        delta: event.delta ?? "",
        logprobs: event.logprobs ?? undefined
      })
      break
    case "conversation.item.input_audio_transcription.completed":
      transcribed(event, session)
      break
    case "conversation.item.input_audio_transcription.failed": {
      const { code, message } = event.error
      session.transcripts.failed(event.item_id)
      const text = message ?? "What the user said could not be transcribed."
      outbox.publish({ _tag: "UserTranscriptFailed", ...partOf(event), code: code ?? undefined, message: text })
      break
    }
    default:
      return false
  }
  return true
}

/** A part of what the user said. */
const partOf = (event: { readonly item_id: string; readonly content_index?: number | null | undefined }) => ({
  itemId: event.item_id,
  contentIndex: event.content_index ?? 0
})

/** The transcript of the user's speech. It comes independently of the model's answer, before or after its own item. */
const transcribed = (
  event: Extract<ServerEvent, { readonly type: "conversation.item.input_audio_transcription.completed" }>,
  session: Parts
): void => {
  const { conversation, outbox } = session
  const { transcript } = event
  const at = partOf(event)
  session.transcripts.settled(at.itemId)
  conversation.replace(at.itemId, at.contentIndex, "Audio", transcript)
  session.turnAudio.transcribed(at.itemId, at.contentIndex, transcript)
  final(conversation.get(at.itemId), session)
  session.guardrails.heard(at.itemId, transcript)
  outbox.publish({
    _tag: "UserTranscriptCompleted",
    ...at,
    transcript,
    languages: event.languages?.map(({ code }) => code),
    logprobs: event.logprobs ?? undefined,
    usage: event.usage ?? undefined
  })
}

/** The item will not change any more, except for a late transcript. It is written down before anyone is told. */
export const final = (item: ConversationItem | undefined, { recorder }: Parts): void => {
  if (item !== undefined && isFinal(item)) recorder.item(item)
}

/** The item follows another item now. Nothing else in it changed. */
export const moved = (item: ConversationItem | undefined, { hearing, recorder }: Parts): void => {
  if (item !== undefined && isFinal(item)) recorder.item(item, hearing.isOwed(item.id))
}

/** Whether the item will not change any more. */
const isFinal = (item: ConversationItem): boolean => !("status" in item) || item.status !== "in_progress"

/** An item that the server was sent again, from another connection or process: its announcement is not news. */
const isToldAgain = (item: Item, { retelling }: Parts): boolean =>
  typeof item.id === "string" && retelling.isReplayed(item.id)

/** Its position is news: something may have been said in the meantime. */
const place = (
  { item, previous_item_id }: { readonly item: Item; readonly previous_item_id?: string | null | undefined },
  session: Parts
): void => {
  const { conversation } = session
  if (typeof item.id !== "string" || typeof previous_item_id !== "string") return
  const { id } = item
  moving(id, session, () => conversation.place(id, previous_item_id))
}

const put = (
  item: Item,
  previousItemId: string | undefined,
  session: Parts,
  responseId?: string
): ConversationItem | undefined =>
  moving(item.id ?? "", session, () => session.conversation.put(item, previousItemId, responseId))

/**
 * Does what may move a known item. It moves alone: in the journal, what followed it stays where it is, and what is
 * behind it now follows it.
 */
const moving = <A>(itemId: string, session: Parts, move: () => A): A => {
  const { conversation } = session
  const before = conversation.previousOf(itemId)
  const left = conversation.nextOf(itemId)
  const result = move()
  if (before === undefined || conversation.previousOf(itemId) === before) return result
  for (const item of [left, conversation.get(itemId), conversation.nextOf(itemId)]) moved(item, session)
  return result
}

/** A call of a hosted tool, which the server makes itself. */
export const isMcpCall = (item: Item): item is McpCallItem => isKnownItem(item) && item.type === "mcp_call"

/** The tools of a hosted server. */
const isMcpList = (item: Item): item is McpListToolsItem => isKnownItem(item) && item.type === "mcp_list_tools"

/** The server has an item of this session: an output or a message. */
export const acknowledged = (itemId: string, { calls, edits, responses }: Parts): void => {
  edits.acknowledged(itemId)
  calls.itemAcknowledged(itemId)
  responses.itemAcknowledged(itemId)
}

const acknowledge = (item: Item, session: Parts): void => {
  if (typeof item.id === "string") acknowledged(item.id, session)
}

/** Published once, although an item of a response is announced twice: in the response, and in the conversation. */
export const added = (
  wire: Item,
  previousItemId: string | undefined,
  session: Parts,
  before: (item: ConversationItem) => void = () => undefined,
  responseId?: string
): void => {
  const { conversation, outbox } = session
  const isNew = conversation.get(wire.id ?? "") === undefined
  const item = put(wire, previousItemId, session, responseId)
  if (item === undefined) return
  before(item)
  if (isNew) outbox.publish({ _tag: "ItemAdded", item })
}
