/** Converts an item from the server, and keeps what was known of it before. */
import type { Item, Message, Part, Status } from "../Conversation.js"
import { type ContentPart, isKnownItem, type Item as WireItem } from "../protocol/Item.js"
import { isCut } from "./cuts.js"

export const partText = (part: Part | undefined): string | undefined =>
  part?._tag === "Text" ? part.text : part?._tag === "Audio" ? part.transcript : undefined

export const textPart = (kind: "Text" | "Audio", text: string): Part =>
  kind === "Text" ? { _tag: "Text", text } : { _tag: "Audio", transcript: text }

/** Known values stay if an update lacks them: a text, a transcript, a phase, a final status. */
export const merge = (known: Item | undefined, wire: WireItem, id: string): Item => {
  const update = toItem(wire, id)
  const hasStatus = "status" in wire && typeof wire.status === "string"
  if (known?._tag === "FunctionCall" && update._tag === "FunctionCall") {
    return hasStatus || known.status === "in_progress" ? update : { ...update, status: known.status }
  }
  if (known?._tag !== "Message" || update._tag !== "Message") return update
  const length = Math.max(known.content.length, update.content.length)
  const content = Array.from({ length }, (_, index) => {
    const next = update.content[index]
    const before = known.content[index]
    return isCut(before) || next === undefined || (partText(next) ?? "") === "" ? (before ?? next) : next
  })
  const status = hasStatus || known.status === "in_progress" ? update.status : known.status
  const { blockedBy } = known
  return {
    ...phaseOf(known.phase),
    ...update,
    status,
    content: content.filter((part) => part !== undefined),
    ...(blockedBy === undefined ? {} : { blockedBy })
  }
}

const statusOf = (status: string | null | undefined): Status =>
  status === "in_progress" || status === "incomplete" ? status : "completed"

const details = ["auto", "low", "high"] as const

const toPart = (part: ContentPart): Part => {
  switch (part.type) {
    case "input_audio":
    case "output_audio":
    case "audio":
      return { _tag: "Audio", transcript: part.transcript ?? undefined }
    case "input_image": {
      const detail = details.find((one) => one === part.detail)
      return { _tag: "Image", url: part.image_url ?? undefined, ...(detail === undefined ? {} : { detail }) }
    }
    default:
      return { _tag: "Text", text: part.text ?? part.transcript ?? "" }
  }
}

const roleOf = (role: string): Message["role"] => (role === "user" || role === "system" ? role : "assistant")

const phaseOf = (phase: string | null | undefined) => (typeof phase === "string" ? { phase } : {})

const toItem = (wire: WireItem, id: string): Item => {
  if (isKnownItem(wire)) {
    switch (wire.type) {
      case "message": {
        const { role, status, content } = wire
        const message = { id, role: roleOf(role), status: statusOf(status), content: content.map(toPart) }
        return { _tag: "Message", ...message, ...phaseOf(wire.phase) }
      }
      case "function_call": {
        const { name, arguments: text, status } = wire
        const call = { id, callId: wire.call_id || id, name, arguments: text, status: statusOf(status) }
        return { _tag: "FunctionCall", ...call, ...phaseOf(wire.phase) }
      }
      case "function_call_output":
        return { _tag: "FunctionCallOutput", id, callId: wire.call_id, output: wire.output }
    }
  }
  return { _tag: "Other", id, type: wire.type, item: wire }
}
