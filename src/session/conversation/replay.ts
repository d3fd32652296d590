import type { Conversation, FunctionCall, Item } from "../../Conversation.js"
import type { ItemParam } from "../../protocol/ItemParam.js"
import { paramOf } from "./itemParam.js"

/** How much of a conversation another connection is told. */
export interface Limits {
  /** The newest so many items. */
  readonly maxItems: number
  /** The newest items that have no more than so many characters together. */
  readonly maxCharacters: number
}

export interface Replay {
  /** In the conversation's order. */
  readonly items: ReadonlyArray<ItemParam & { readonly id: string }>
  /** What a client can not create, has no words for, or is older than the limits allow. */
  readonly omitted: ReadonlyArray<string>
  /** Items that another id was needed for. */
  readonly renamed: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

/** The protocol's limit for ids that a client gives. A server may give longer ones. */
const maxIdLength = 32

/**
 * The conversation as it is told to a server that has not heard it: audio as its transcript, calls with their outputs.
 * A call without an output is told only if it is `open`, for its output follows; an output without its call is not told,
 * for the server would refuse it. The calls that are open are told however old they are.
 */
export const replayOf = (
  conversation: Conversation,
  open: ReadonlySet<string>,
  limits: Limits,
  newId: (prefix: string) => string
): Replay => {
  const tellable = itemsOfCalls(conversation, open)
  const kept: Array<{ readonly from: string; readonly param: Replay["items"][number] }> = []
  const omitted: Array<string> = []
  const cutCalls = new Set<string>()
  let characters = 0
  let isFull = false
  /** The newest item is told however long it is: the model was about to speak of it. With an output goes its call. */
  let newestOutput: string | undefined
  // From the newest, so that what is cut is the oldest. Of a call that is cut, its output came before, and goes too.
  for (const item of conversation.items.toReversed()) {
    const param = creatable(item, tellable, newId)
    if (param === undefined) {
      omitted.push(item.id)
      continue
    }
    characters += lengthOf(param)
    const mustStay = item._tag === "FunctionCall" && (open.has(item.callId) || item.callId === newestOutput)
    const isNewest: boolean = kept.length === 0 && !isFull && limits.maxCharacters > 0
    isFull ||= kept.length >= limits.maxItems || (characters > limits.maxCharacters && !isNewest)
    if (isNewest && !isFull && item._tag === "FunctionCallOutput") newestOutput = item.callId
    if (isFull && !mustStay) {
      omitted.push(item.id)
      if (item._tag === "FunctionCall") cutCalls.add(item.callId)
      continue
    }
    kept.push({ from: item.id, param })
  }
  const isOrphan = (param: ItemParam): boolean =>
    param.type === "function_call_output" && cutCalls.has(param.call_id ?? "")
  const told = kept.filter(({ param }) => !isOrphan(param)).reverse()
  return {
    items: told.map(({ param }) => param),
    omitted: [...omitted, ...kept.flatMap(({ from, param }) => (isOrphan(param) ? from : []))],
    renamed: told.flatMap(({ from, param }) => (from === param.id ? [] : { from, to: param.id }))
  }
}

/** The calls that can be told, and of each the first output behind it. */
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
  told: ReadonlySet<string>,
  newId: (prefix: string) => string
): Replay["items"][number] | undefined => {
  if ((item._tag === "FunctionCall" || item._tag === "FunctionCallOutput") && !told.has(item.id)) return undefined
  const id = item.id.length > maxIdLength ? newId("itm") : item.id
  const param = paramOf(item, id)
  if (param === undefined || (param.type === "message" && param.content.length === 0)) return undefined
  return { ...param, id }
}

const lengthOf = (param: ItemParam): number => {
  switch (param.type) {
    case "message": {
      let length = 0
      for (const part of param.content) length += "text" in part ? part.text.length : 0
      return length
    }
    case "function_call":
      return param.arguments.length
    case "function_call_output":
      return param.output.length
    default:
      return 0
  }
}
