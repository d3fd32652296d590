/** What the model reads of a tool's result. */
import * as Predicate from "effect/Predicate"
import { written } from "../common/written.js"

const partText = (part: unknown): string => {
  if (!Predicate.isRecord(part)) return ""
  switch (part["type"]) {
    case "text":
      return typeof part["text"] === "string" ? part["text"] : ""
    case "resource": {
      const { resource } = part
      if (Predicate.isRecord(resource) && typeof resource["text"] === "string") return resource["text"]
      return "(a resource that is not text was left out)"
    }
    case "resource_link":
      return typeof part["uri"] === "string" ? `(see ${part["uri"]})` : "(a link was left out)"
    default:
      return typeof part["type"] === "string" ? `(${part["type"]} was left out)` : "(something was left out)"
  }
}

export interface Answer {
  readonly isError: boolean
  readonly text: string
}

const structured = (content: unknown): string => written(content) ?? "(a result that nests too deeply was left out)"

/** The text of the parts. If there is structured content, only that: the text usually repeats it. */
export const answerOf = (result: { readonly [key: string]: unknown }): Answer => {
  const { content, isError, structuredContent } = result
  const parts = Array.isArray(content) ? content.map(partText) : []
  const text = structuredContent === undefined ? parts.filter((part) => part !== "").join("\n") : undefined
  return { isError: isError === true, text: text ?? structured(structuredContent) }
}
