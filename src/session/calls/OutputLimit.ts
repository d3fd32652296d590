import type { CallInfo } from "../../SessionEvent.js"
import { InvalidOutput } from "../../ToolError.js"
import type { Settlement } from "../../tool/settle.js"

/** How long what the model reads of a call may be, and what becomes of a result that is longer. */
export interface OutputLimit {
  /** UTF-16 code units. */
  readonly maxLength: number
  readonly onLong: "truncate" | "fail"
}

/** A result that is too long is no result, where the application wants it so. */
export const checked = <E>(settlement: Settlement<E>, call: CallInfo, limit: OutputLimit): Settlement<E> => {
  if (settlement._tag === "Failed" || limit.onLong === "truncate") return settlement
  const { length } = settlement.output
  if (length <= limit.maxLength) return settlement
  const { agent, callId, tool } = call
  const issue = `It has ${length} characters, and ${limit.maxLength} are allowed. Return less, or raise \`maxOutputLength\`.`
  return { _tag: "Failed", error: new InvalidOutput({ callId, tool, agent, issue }) }
}

/** The beginning of a text that is too long, and a note of how much is missing, which comes on top. */
export const truncated = (text: string, maxLength: number): string => {
  if (text.length <= maxLength) return text
  const kept = text.slice(0, isPairAt(text, maxLength - 1) ? maxLength - 1 : maxLength)
  return `${kept}\n[Cut: the last ${text.length - kept.length} of ${text.length} characters are left out.]`
}

/** Whether one character takes this code unit and the next. */
const isPairAt = (text: string, index: number): boolean => (text.codePointAt(index) ?? 0) > 0xffff
