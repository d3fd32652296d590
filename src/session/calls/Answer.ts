import * as Redacted from "effect/Redacted"
import * as LateResult from "../../protocol/LateResult.js"
import { describeNeutrally, type ToolError } from "../../ToolError.js"
import type { Settlement } from "../../tool/settle.js"
import { type Creation, creationOf } from "../conversation/Creation.js"

/** The one output of a call. */
export const outputEvent = (id: string, callId: string, output: string): Creation =>
  creationOf(id, { id, type: "function_call_output", call_id: callId, output })

/** What the model reads in place of an output that the server refused. */
export const unsendable = JSON.stringify({
  error: { type: "OutputRefused", message: "The result could not be sent to you. Say so, or try another way." }
})

/** A system message for the model. */
export const systemEvent = (id: string, text: string): Creation =>
  creationOf(id, { id, type: "message", role: "system", content: [{ type: "input_text", text }] })

/** The result of a call that was acknowledged: a message, because the call cannot have a second output. */
export const resultEvent = (id: string, tool: string, callId: string, output: string): Creation =>
  systemEvent(id, LateResult.textOf({ tool, callId, output }))

/**
 * The text that the model reads. If `describe` fails, the model gets the library's text, and the failure is published.
 */
export const textOf = <E>(
  settlement: Settlement<E>,
  describe: (error: ToolError<E>) => string,
  formatterFailed: (message: string, reason: Redacted.Redacted<unknown>) => void
): string => {
  if (settlement._tag === "Succeeded") return settlement.output
  const { error, notEncoded } = settlement
  const neutral = (message: string, reason: unknown): string => {
    formatterFailed(message, Redacted.make(reason))
    return describeNeutrally(error)
  }
  if (notEncoded !== undefined) {
    return neutral(`The failure of ${error.tool} does not fit the tool's \`failure\` schema.`, notEncoded)
  }
  try {
    // The application's value is a border too: untyped code may return anything.
    const text: unknown = describe(error)
    if (typeof text === "string") return text
    return neutral(`\`describe\` returned ${typeof text}, not text.`, text)
  } catch (thrown) {
    return neutral("`describe` threw.", thrown)
  }
}
