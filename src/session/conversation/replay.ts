import type { Conversation, FunctionCall, Item } from "../../Conversation.js"
import type { ItemParam } from "../../protocol/ItemParam.js"
import { isEmpty, type Kept, paramOf, unknownPart } from "./itemParam.js"

/** How much of a conversation another connection is sent. */
export interface Limits {
  /** At most this many items, the newest. */
  readonly maxItems: number
  /** At most this many characters, as they are sent: base64 counts too. */
  readonly maxCharacters: number
  /** At most this many characters of text. */
  readonly maxTextCharacters: number
}

export interface Replay {
  /** In the order of the conversation. */
  readonly items: ReadonlyArray<ItemParam & { readonly id: string }>
  /**
   * Items that a client cannot create, that have neither words nor audio, that are too long for an event, or older than
   * the limits allow.
   */
  readonly omitted: ReadonlyArray<string>
  /** Items of which a part was left out. */
  readonly incomplete: ReadonlyArray<string>
  /** Items that needed another id. */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

/** The protocol's limit for ids that a client chooses. A server may choose longer ones. */
const maxIdLength = 32

/**
 * The API's limit for one event is 15 MiB (API reference, `input_audio_buffer.append`). Some of that is not content.
 */
const maxEventBytes = 15 * 1024 * 1024 - 1024

/**
 * The conversation as it is sent to a server that does not have it: audio as its transcript, or if it is the user's and
 * has none, as audio; calls with their outputs. A call without an output is only sent if it is `open`, because its
 * output follows. An output without its call is not sent, because the server would refuse it. Open calls are sent
 * however old they are.
 */
export const replayOf = (
  conversation: Conversation,
  open: ReadonlySet<string>,
  limits: Limits,
  newId: (prefix: string) => string,
  audio: Kept
): Replay => {
  const tellable = itemsOfCalls(conversation, open)
  const kept: Array<{ readonly item: Item; readonly param: Replay["items"][number] }> = []
  const omitted: Array<string> = []
  const cutCalls = new Set<string>()
  let characters = 0
  let texts = 0
  let isFull = false
  /**
   * The newest item is sent however long it is: the model was about to speak about it. If it is an output, its call is
   * sent too.
   */
  let newestOutput: string | undefined
  // From the newest item, so that the oldest are left out. If a call is left out, its output was seen before, and is
  // left out too.
  for (const item of conversation.items.toReversed()) {
    const mustStay = item._tag === "FunctionCall" && (open.has(item.callId) || item.callId === newestOutput)
    // However long the conversation is, this does not look at more items than it sends.
    if (isFull && !mustStay) {
      omitted.push(item.id)
      if (item._tag === "FunctionCall") cutCalls.add(item.callId)
      continue
    }
    const param = creatable(item, tellable, newId, audio)
    if (param === undefined) {
      omitted.push(item.id)
      continue
    }
    const length = lengthOf(param)
    characters += length.text + length.media
    texts += length.text
    const isNewest: boolean = kept.length === 0 && !isFull && limits.maxCharacters > 0 && limits.maxTextCharacters > 0
    const isTooMuch = characters > limits.maxCharacters || texts > limits.maxTextCharacters
    isFull ||= kept.length >= limits.maxItems || (isTooMuch && !isNewest)
    if (isNewest && !isFull && item._tag === "FunctionCallOutput") newestOutput = item.callId
    if (isFull && !mustStay) {
      omitted.push(item.id)
      if (item._tag === "FunctionCall") cutCalls.add(item.callId)
      continue
    }
    kept.push({ item, param })
  }
  const isOrphan = (param: ItemParam): boolean =>
    param.type === "function_call_output" && cutCalls.has(param.call_id ?? "")
  const replayed = kept.filter(({ param }) => !isOrphan(param)).reverse()
  return {
    items: replayed.map(({ param }) => param),
    omitted: [...omitted, ...kept.flatMap(({ item, param }) => (isOrphan(param) ? item.id : []))],
    incomplete: replayed.flatMap(({ item, param }) => (isWhole(item, audio) ? [] : param.id)),
    renamed: replayed.flatMap(({ item, param }) => (item.id === param.id ? [] : { from: item.id, to: param.id }))
  }
}

const isWhole = (item: Item, audio: Kept): boolean =>
  unknownPart(item, (contentIndex) => audio.get(item.id, contentIndex) !== undefined) === undefined

/** The calls that can be sent, each with the first output after it. */
const itemsOfCalls = ({ items }: Conversation, open: ReadonlySet<string>): ReadonlySet<string> => {
  const calls = new Map<string, FunctionCall>()
  const told = new Set<string>()
  for (const item of items) {
    if (item._tag === "FunctionCall" && item.status === "completed") {
      calls.set(item.callId, item)
      if (open.has(item.callId)) told.add(item.id)
    }
    const call = item._tag === "FunctionCallOutput" ? calls.get(item.callId) : undefined
    if (call === undefined) continue
    told.add(call.id).add(item.id)
    calls.delete(call.callId)
  }
  return told
}

const creatable = (
  item: Item,
  tellable: ReadonlySet<string>,
  newId: (prefix: string) => string,
  audio: Kept
): Replay["items"][number] | undefined => {
  if ((item._tag === "FunctionCall" || item._tag === "FunctionCallOutput") && !tellable.has(item.id)) return undefined
  const id = item.id.length > maxIdLength ? newId("itm") : item.id
  const param = paramOf(item, id, audio)
  if (param === undefined || isEmpty(param)) return undefined
  const { media, text } = lengthOf(param)
  // A character of text takes up to six bytes.
  if (media + 6 * text > maxEventBytes && bytesOf(param) > maxEventBytes) return undefined
  return { ...param, id }
}

const bytesOf = (param: ItemParam): number => new TextEncoder().encode(JSON.stringify(param)).length

/** The length of an item in characters: text, and base64 or addresses. */
const lengthOf = (param: ItemParam): { readonly text: number; readonly media: number } => {
  switch (param.type) {
    case "message": {
      let text = 0
      let media = 0
      for (const part of param.content) {
        if ("text" in part) text += part.text.length
        else if (part.type === "input_image") media += part.image_url.length
        else media += part.audio?.length ?? 0
      }
      return { text, media }
    }
    case "function_call":
      return { text: param.name.length + param.arguments.length, media: 0 }
    case "function_call_output":
      return { text: param.output.length, media: 0 }
    default:
      return { text: 0, media: 0 }
  }
}
