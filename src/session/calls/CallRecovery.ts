import type { OpenCall } from "../../journal/recover.js"
import type * as Ledger from "../../machine/CallLedger.js"
import type { Tool } from "../../Tool.js"
import { ToolInterrupted } from "../../ToolError.js"
import type { Recorder } from "../Recorder.js"
import type { CallOutputs } from "./CallOutputs.js"
import type { Running } from "./RunningCalls.js"

/**
 * Takes up the calls that the process before this one left open. What is returned runs them, or answers them: once the
 * server has been told of them.
 */
export type CallRecovery = (calls: ReadonlyArray<OpenCall>, isAnswered: (callId: string) => boolean) => () => void

export interface Environment<E, R> {
  readonly ledger: Pick<Ledger.CallLedger, "step">
  readonly outputs: Pick<CallOutputs<E, R>, "settled">
  readonly recorder: Pick<Recorder, "call">
  readonly epoch: () => number
  readonly toolOf: (call: Ledger.Call) => Tool<string, E, R> | undefined
  readonly register: (call: Ledger.Call) => Running<E, R>
  readonly start: (call: Running<E, R>) => void
}

export const make = <E, R>(env: Environment<E, R>): CallRecovery => {
  const { ledger } = env

  /** As the ledger of the process before had it. Its commands are carried out when the server has the conversation. */
  const remember = (one: OpenCall, isAnswered: boolean): void => {
    const { callId, responseId, state } = one
    if (responseId !== undefined) ledger.step({ _tag: "ResponseEnded", responseId })
    ledger.step({ _tag: "Arrived", call: wireOf(one) })
    if (state._tag !== "Settled") return
    ledger.step({ _tag: "Settled", callId, output: state.output, reply: state.reply && !isAnswered })
    if (!isAnswered) return
    ledger.step({ _tag: "OutputSent", callId, outputItemId: callId, epoch: env.epoch() })
    ledger.step({ _tag: "OutputAcknowledged", outputItemId: callId })
  }

  /** A handler that never ran may run; one that may have done its work runs again only if that does no harm. */
  const takeUp = (call: Running<E, R>, isUntouched: boolean): void => {
    const { agent, callId, tool } = call.info
    if (call.tool !== undefined && (isUntouched || call.tool.policy.idempotent)) env.start(call)
    else
      env.outputs.settled(call, { _tag: "Failed", error: new ToolInterrupted({ callId, tool, agent, by: "restart" }) })
  }

  /** A deferred call has its acknowledgement, and the model waits for the result. Any other is over. */
  const deliver = (one: OpenCall): void => {
    const wire = wireOf(one)
    if (env.toolOf(wire)?.policy.deferred === undefined) {
      env.recorder.call(one.callId, { _tag: "Acknowledged" })
      return
    }
    const call = env.register(wire)
    call.phase = "Acknowledged"
    takeUp(call, false)
  }

  return (calls, isAnswered) => {
    for (const one of calls) remember(one, isAnswered(one.callId))
    return () => {
      for (const one of calls) {
        if (one.state._tag !== "Settled") takeUp(env.register(wireOf(one)), one.state._tag === "Arrived")
        else if (isAnswered(one.callId)) deliver(one)
      }
    }
  }
}

const wireOf = ({ arguments: text, callId, itemId, responseId, tool }: OpenCall): Ledger.Call => ({
  callId,
  itemId,
  responseId,
  name: tool,
  arguments: text
})
