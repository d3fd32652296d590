import type { Decision } from "../../tool/settle.js"
import type { Parts } from "../Parts.js"
import type { PendingApproval } from "./CallApprovals.js"

const ambiguous: Decision = { _tag: "Rejected", reason: "another call has the same id.", by: "decision" }

/** All calls that wait for the application's decision: calls of the session's own tools and of hosted MCP tools. */
export class Approvals {
  readonly #session: Parts

  constructor(session: Parts) {
    this.#session = session
  }

  pending(): ReadonlyArray<PendingApproval> {
    return [...this.#session.calls.approvals.pending(), ...this.#session.hostedCalls.pending()]
  }

  /** Whether no more calls may wait. */
  isFull(): boolean {
    return this.pending().length >= this.#session.options.maxPendingApprovals
  }

  /** A text that changes whenever other calls wait. */
  version(): string {
    // A call waits only once, so the ids are enough; there are never many.
    return JSON.stringify(this.pending().map(({ call }) => call.callId))
  }

  /**
   * Decides on a call. Returns whether a call waited for the decision. `always`: also applies to later calls of this
   * tool by this agent.
   */
  decide(callId: string, decision: Decision, always: boolean): boolean {
    // Approving one of two calls with the same id does not approve the other: neither runs.
    const isAmbiguous = this.pending().filter(({ call }) => call.callId === callId).length > 1
    const word = isAmbiguous ? ambiguous : decision
    const isOwn = this.#session.calls.approvals.decide(callId, word, always && !isAmbiguous)
    return this.#session.hostedCalls.decide(callId, word) || isOwn
  }
}
