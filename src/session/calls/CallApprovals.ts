import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import type * as Ledger from "../../machine/CallLedger.js"
import type { CallInfo, SessionEvent } from "../../SessionEvent.js"
import type { Decision } from "../../tool/settle.js"
import type { Approval, Running, RunningCalls } from "./RunningCalls.js"

/** A call that waits for the application. `deadline` is in milliseconds since 1970. */
export interface PendingApproval {
  readonly call: CallInfo
  readonly deadline: number
}

/** The calls that wait for the application's word, and the words that stand. */
export interface CallApprovals<E, R> {
  readonly needed: (call: Running<E, R>, approval: Approval) => void
  /** Nobody decided in time. */
  readonly expired: (callId: string) => void
  /** Whether a call waited for this decision. `always`: it stands for all calls of this tool by this agent. */
  readonly decide: (callId: string, decision: Decision, always: boolean) => boolean
  readonly pending: () => ReadonlyArray<PendingApproval>
}

export interface Environment<E, R> {
  readonly running: Pick<RunningCalls<E, R>, "get" | "all">
  readonly publish: (event: SessionEvent<never>) => void
  /** Whether no more calls may wait. */
  readonly isFull: () => boolean
  /** Tells the ledger. */
  readonly step: (input: Extract<Ledger.Input, { _tag: "ApprovalAwaited" | "ApprovalDecided" }>) => void
}

/** Of a call that nobody is asked about, for too many wait already. */
export const notAsked: Extract<Decision, { _tag: "Rejected" }> = {
  _tag: "Rejected",
  reason: "too many calls wait for approval already. Try again when some of them are decided.",
  by: "limit"
}

export const make = <E, R>({ isFull, publish, running, step }: Environment<E, R>): CallApprovals<E, R> => {
  /** At most one for each tool of each agent. */
  const standing = new Map<string, Decision>()

  const decide: CallApprovals<E, R>["decide"] = (callId, decision, always) => {
    const call = running.get(callId)
    if (call?.approval === undefined) return false
    if (always) standing.set(standingKey(call.info), decision)
    Deferred.unsafeDone(call.approval.decision, Exit.succeed(decision))
    call.approval = undefined
    step({ _tag: "ApprovalDecided", callId })
    if (decision._tag === "Approved") publish({ _tag: "ToolApproved", call: call.info })
    return true
  }

  return {
    needed: (call, approval) => {
      const { info } = call
      const decision = standing.get(standingKey(info)) ?? (isFull() ? notAsked : undefined)
      call.approval = approval
      if (decision === undefined) {
        publish({ _tag: "ToolApprovalRequested", call: info, deadline: approval.deadline })
        step({ _tag: "ApprovalAwaited", callId: info.callId })
      } else {
        step({ _tag: "ApprovalAwaited", callId: info.callId })
        decide(info.callId, decision, false)
      }
    },
    expired: (callId) => {
      decide(callId, { _tag: "Rejected", reason: "it was not decided in time.", by: "deadline" }, false)
    },
    decide,
    pending: () =>
      running
        .all()
        .flatMap(({ info, approval }) => (approval === undefined ? [] : [{ call: info, deadline: approval.deadline }]))
  }
}

/** A decision that stands is one for an agent and a tool, never for a tool of the same name elsewhere. */
const standingKey = ({ agent, tool }: CallInfo): string => JSON.stringify([agent, tool])
