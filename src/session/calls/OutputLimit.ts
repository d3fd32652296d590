import type { CallInfo } from "../../SessionEvent.js"
import { InvalidOutput } from "../../ToolError.js"
import type { Settlement } from "../../tool/settle.js"

/** How long an output may be, and what happens to a longer result. */
export interface OutputLimit {
  /** UTF-16 code units. */
  readonly maxLength: number
  readonly onLong: "truncate" | "fail"
}

/** If the application chose so, a result that is too long counts as a failure. */
export const checked = <E>(settlement: Settlement<E>, call: CallInfo, limit: OutputLimit): Settlement<E> => {
  if (settlement._tag === "Failed" || limit.onLong === "truncate") return settlement
  const { length } = settlement.output
  if (length <= limit.maxLength) return settlement
  const { agent, callId, tool } = call
  const issue = `It has ${length} characters, and ${limit.maxLength} are allowed. Return less, or raise \`maxOutputLength\`.`
  return { _tag: "Failed", error: new InvalidOutput({ callId, tool, agent, issue }) }
}

/**
 * The beginning of a text that is too long, followed by a note of how much is missing. The note is added to the limit.
 */
export const truncated = (text: string, maxLength: number): string => {
  if (text.length <= maxLength) return text
  const kept = text.slice(0, isPairAt(text, maxLength - 1) ? maxLength - 1 : maxLength)
  return `${kept}\n[Cut: the last ${text.length - kept.length} of ${text.length} characters are left out.]`
}

/** Whether this code unit and the next one form one character. */
const isPairAt = (text: string, index: number): boolean => (text.codePointAt(index) ?? 0) > 0xffff
