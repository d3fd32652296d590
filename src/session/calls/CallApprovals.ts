import * as Deferred from "effect/Deferred"
import * as Exit from "effect/Exit"
import type { CallInfo } from "../../SessionEvent.js"
import type { Decision } from "../../tool/settle.js"
import type { Parts } from "../Parts.js"
import type { Approval, Running } from "./RunningCalls.js"

/** A call that waits for the application's decision. `deadline` is in milliseconds since 1970. */
export interface PendingApproval {
  readonly call: CallInfo
  readonly deadline: number
}

/** For a call that is rejected without a question, because too many already wait. */
export const notAsked: Extract<Decision, { _tag: "Rejected" }> = {
  _tag: "Rejected",
  reason: "too many calls are already waiting for approval. Try again when some of them are decided.",
  by: "limit"
}

/** For a call of an answer that a guardrail withdrew: nobody needs its result. */
export const withdrawn: Extract<Decision, { _tag: "Rejected" }> = {
  _tag: "Rejected",
  reason: "the answer that it is for was withdrawn.",
  by: "withdrawn"
}

/** The calls that wait for a decision, and the decisions that apply to later calls. */
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
    const isWithdrawn = calls.ledger.isWithdrawn(info.responseId)
    const decision = isWithdrawn
      ? withdrawn
      : (this.#standing.get(standingKey(info)) ?? (approvals.isFull() ? notAsked : undefined))
    calls.running.awaits(call, approval)
    if (decision === undefined) {
      outbox.publish({ _tag: "ToolApprovalRequested", call: info, deadline: approval.deadline })
      calls.step({ _tag: "ApprovalAwaited", callId: info.callId })
    } else {
      calls.step({ _tag: "ApprovalAwaited", callId: info.callId })
      this.decide(info.callId, decision, false)
    }
  }

  /** The time to decide is over. */
  expired(callId: string): void {
    this.decide(callId, { _tag: "Rejected", reason: "it was not decided in time.", by: "deadline" }, false)
  }

  /**
   * Decides on a call. Returns whether a call waited for the decision. `always`: also applies to later calls of this
   * tool by this agent.
   */
  decide(callId: string, decision: Decision, always: boolean): boolean {
    const { calls, outbox } = this.#session
    const call = calls.running.get(callId)
    if (call?.approval === undefined) return false
    if (always) this.#standing.set(standingKey(call.info), decision)
    Deferred.unsafeDone(call.approval.decision, Exit.succeed(decision))
    calls.running.awaits(call, undefined)
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

/** A standing decision is for one tool of one agent, never for a tool with the same name of another agent. */
const standingKey = ({ agent, tool }: CallInfo): string => JSON.stringify([agent, tool])
