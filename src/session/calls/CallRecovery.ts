import type { FunctionCall, Item } from "../../Conversation.js"
import type { OpenCall } from "../../journal/Fold.js"
import * as Ledger from "../../machine/CallLedger.js"
import { ToolInterrupted } from "../../ToolError.js"
import type { Parts } from "../Parts.js"
import type { Running } from "./RunningCalls.js"

/**
 * Restores the calls that the previous process left open, in a conversation of these items. The returned function runs
 * or answers them, once the server has been sent the calls.
 */
export const recover = <E, R>(
  { calls, connections, recorder, team }: Parts<E, R>,
  openCalls: ReadonlyArray<OpenCall>,
  items: ReadonlyArray<Item>
): (() => void) => {
  const { ledger } = calls

  /** Restores the ledger of the previous process. Its commands are carried out when the server has the conversation. */
  const remember = (one: OpenCall, isAnswered: boolean): void => {
    const { callId, isWithdrawn, responseId, state } = one
    const call = wireOf(one)
    if (responseId !== undefined) {
      if (isWithdrawn) ledger.step({ _tag: "Withdrawn", responseId })
      ledger.step({ _tag: "ResponseEnded", responseId })
    }
    ledger.step({ _tag: "Arrived", call })
    if (state._tag !== "Settled") return
    ledger.step({ _tag: "Settled", callId, output: state.output, reply: state.reply && !isAnswered })
    if (!isAnswered) return
    ledger.step({ _tag: "OutputSent", callId, outputItemId: callId, epoch: connections.epoch })
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: callId })
  }

  /** Whichever agent has the conversation now: the functions are those of the agent that the call was made to. */
  const register = (one: OpenCall): Running<E, R> =>
    calls.register(wireOf(one), { agent: one.agent, tool: team.offerOf(one.agent)?.functions.get(one.tool) })

  /** A handler that never ran may run. One that may have done its work runs again only if that does no harm. */
  const takeUp = (call: Running<E, R>, isUntouched: boolean): void => {
    const { agent, callId, tool } = call.info
    if (call.tool !== undefined && (isUntouched || call.tool.policy.idempotent)) calls.start(call)
    else {
      const error = new ToolInterrupted({ callId, tool, agent, by: "restart" })
      calls.outputs.settled(call, { _tag: "Failed", error })
    }
  }

  /** What to do for a call once the server has been sent it. */
  const later = (one: OpenCall, isAnswered: boolean): (() => void) => {
    if (one.state._tag !== "Settled") return () => takeUp(register(one), one.state._tag === "Arrived")
    if (one.state.deferred === true) {
      // The model has the acknowledgement, or is sent it again, and waits for the result.
      const call = register(one)
      call.phase = "Acknowledged"
      return () => takeUp(call, false)
    }
    return () => {
      if (isAnswered) recorder.call(one.callId, { _tag: "Acknowledged" })
    }
  }

  const open = new Set(openCalls.map(({ callId }) => callId))
  const answered = new Set<string>()
  const earlier: Array<FunctionCall> = []
  // From the newest: an output follows its call, and the ledger only remembers a limited number of calls.
  for (const item of items.toReversed()) {
    if (item._tag === "FunctionCallOutput") answered.add(item.callId)
    if (item._tag !== "FunctionCall" || open.has(item.callId) || !answered.has(item.callId)) continue
    if (earlier.length < Ledger.defaults.maxRemembered) earlier.push(item)
  }
  for (const item of earlier.reverse()) ledger.step({ _tag: "AnsweredBefore", call: earlierCall(item) })
  for (const one of openCalls) remember(one, answered.has(one.callId))
  // The calls of a turn are counted again. What was called in it must be answered.
  ledger.step({ _tag: "TurnBegan", calls: Math.min(1, openCalls.length) })
  const all = openCalls.map((one) => later(one, answered.has(one.callId)))
  return () => {
    for (const act of all) act()
  }
}

const earlierCall = ({ arguments: text, callId, id, name }: FunctionCall): Ledger.Call => ({
  callId,
  itemId: id,
  responseId: undefined,
  name,
  arguments: text
})

const wireOf = ({ arguments: text, callId, itemId, responseId, tool }: OpenCall): Ledger.Call => ({
  callId,
  itemId,
  responseId,
  name: tool,
  arguments: text
})
