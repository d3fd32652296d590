import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import type { CallInfo } from "../../SessionEvent.js"
import type { Decision } from "../../tool/settle.js"
import type { Parts } from "../Parts.js"
import type { Approval, Running } from "./RunningCalls.js"

/** A call that waits for the application. `deadline` is in milliseconds since 1970. */
export interface PendingApproval {
  readonly call: CallInfo
  readonly deadline: number
}

/** Of a call that nobody is asked about, for too many wait already. */
export const notAsked: Extract<Decision, { _tag: "Rejected" }> = {
  _tag: "Rejected",
  reason: "too many calls wait for approval already. Try again when some of them are decided.",
  by: "limit"
}

/** The calls that wait for the application's word, and the words that stand. */
export class CallApprovals {
  readonly #session: Parts

  /** At most one for each tool of each agent. */
  readonly #standing = new Map<string, Decision>()

  constructor(session: Parts) {
    this.#session = session
  }

  needed(call: Running, approval: Approval): void {
    const { info } = call
    const { approvals, calls, outbox } = this.#session
    const decision = this.#standing.get(standingKey(info)) ?? (approvals.isFull() ? notAsked : undefined)
    call.approval = approval
    if (decision === undefined) {
      outbox.publish({ _tag: "ToolApprovalRequested", call: info, deadline: approval.deadline })
      calls.step({ _tag: "ApprovalAwaited", callId: info.callId })
    } else {
      calls.step({ _tag: "ApprovalAwaited", callId: info.callId })
      this.decide(info.callId, decision, false)
    }
  }

  /** Nobody decided in time. */
  expired(callId: string): void {
    this.decide(callId, { _tag: "Rejected", reason: "it was not decided in time.", by: "deadline" }, false)
  }

  /** Whether a call waited for this decision. `always`: it stands for all calls of this tool by this agent. */
  decide(callId: string, decision: Decision, always: boolean): boolean {
    const { calls, outbox } = this.#session
    const call = calls.running.get(callId)
    if (call?.approval === undefined) return false
    if (always) this.#standing.set(standingKey(call.info), decision)
    Deferred.unsafeDone(call.approval.decision, Exit.succeed(decision))
    call.approval = undefined
    calls.step({ _tag: "ApprovalDecided", callId })
    if (decision._tag === "Approved") outbox.publish({ _tag: "ToolApproved", call: call.info })
    return true
  }

  pending(): ReadonlyArray<PendingApproval> {
    return this.#session.calls.running
      .all()
      .flatMap(({ info, approval }) => (approval === undefined ? [] : [{ call: info, deadline: approval.deadline }]))
  }
}

/** A decision that stands is one for an agent and a tool, never for a tool of the same name elsewhere. */
const standingKey = ({ agent, tool }: CallInfo): string => JSON.stringify([agent, tool])
