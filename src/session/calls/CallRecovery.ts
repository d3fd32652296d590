import type { FunctionCall, Item } from "../../Conversation.js"
import type { OpenCall } from "../../journal/Fold.js"
import * as Ledger from "../../machine/CallLedger.js"
import type { Tool } from "../../Tool.js"
import { ToolInterrupted } from "../../ToolError.js"
import type { Recorder } from "../Recorder.js"
import type { Offer } from "../team/Offer.js"
import type { CallOutputs } from "./CallOutputs.js"
import type { Running } from "./RunningCalls.js"

/**
 * Takes up the calls that the process before this one left open, in a conversation of these items. What is returned runs
 * them, or answers them: once the server has been told of them.
 */
export type CallRecovery = (calls: ReadonlyArray<OpenCall>, items: ReadonlyArray<Item>) => () => void

/** Whose a call is. */
export interface Owner<E, R> {
  readonly agent: string
  /** Absent where the agent has no such tool. */
  readonly tool: Tool<string, E, R> | undefined
}

export interface Environment<E, R> {
  readonly ledger: Pick<Ledger.CallLedger, "step">
  readonly outputs: Pick<CallOutputs<E, R>, "settled">
  readonly recorder: Pick<Recorder, "call">
  readonly epoch: () => number
  /** The functions of an agent, whoever has the conversation now. */
  readonly offerOf: (agent: string) => Pick<Offer<E, R>, "functions"> | undefined
  readonly register: (call: Ledger.Call, owner: Owner<E, R>) => Running<E, R>
  readonly start: (call: Running<E, R>) => void
}

export const make = <E, R>(env: Environment<E, R>): CallRecovery => {
  const { ledger } = env

  /** As the ledger of the process before had it. Its commands are carried out when the server has the conversation. */
  const remember = (call: Ledger.Call, state: OpenCall["state"], isAnswered: boolean): void => {
    const { callId, responseId } = call
    if (responseId !== undefined) ledger.step({ _tag: "ResponseEnded", responseId })
    ledger.step({ _tag: "Arrived", call })
    if (state._tag !== "Settled") return
    ledger.step({ _tag: "Settled", callId, output: state.output, reply: state.reply && !isAnswered })
    if (!isAnswered) return
    ledger.step({ _tag: "OutputSent", callId, outputItemId: callId, epoch: env.epoch() })
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: callId })
  }

  const register = (one: OpenCall): Running<E, R> =>
    env.register(wireOf(one), { agent: one.agent, tool: env.offerOf(one.agent)?.functions.get(one.tool) })

  /** A handler that never ran may run; one that may have done its work runs again only if that does no harm. */
  const takeUp = (call: Running<E, R>, isUntouched: boolean): void => {
    const { agent, callId, tool } = call.info
    if (call.tool !== undefined && (isUntouched || call.tool.policy.idempotent)) env.start(call)
    else
      env.outputs.settled(call, { _tag: "Failed", error: new ToolInterrupted({ callId, tool, agent, by: "restart" }) })
  }

  /** What is to be done for a call when the server has been told of it. */
  const later = (one: OpenCall, isAnswered: boolean): (() => void) => {
    if (one.state._tag !== "Settled") return () => takeUp(register(one), one.state._tag === "Arrived")
    if (one.state.deferred === true) {
      // The model has the acknowledgement, or is told it again, and waits for the result.
      const call = register(one)
      call.phase = "Acknowledged"
      return () => takeUp(call, false)
    }
    return () => {
      if (isAnswered) env.recorder.call(one.callId, { _tag: "Acknowledged" })
    }
  }

  return (calls, items) => {
    const open = new Set(calls.map(({ callId }) => callId))
    const answered = new Set<string>()
    const earlier: Array<FunctionCall> = []
    // From the newest: an output stands behind its call, and no more calls are wanted than the ledger remembers.
    for (const item of items.toReversed()) {
      if (item._tag === "FunctionCallOutput") answered.add(item.callId)
      if (item._tag !== "FunctionCall" || open.has(item.callId) || !answered.has(item.callId)) continue
      if (earlier.length < Ledger.defaults.maxRemembered) earlier.push(item)
    }
    for (const item of earlier.reverse()) ledger.step({ _tag: "AnsweredBefore", call: earlierCall(item) })
    for (const one of calls) remember(wireOf(one), one.state, answered.has(one.callId))
    // The calls of one turn are counted anew, and what was called in it is to be answered.
    ledger.step({ _tag: "TurnBegan", calls: Math.min(1, calls.length) })
    const all = calls.map((one) => later(one, answered.has(one.callId)))
    return () => {
      for (const act of all) act()
    }
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
