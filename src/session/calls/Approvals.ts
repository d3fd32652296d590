import type { Decision } from "../../tool/settle.js"
import type { Parts } from "../Parts.js"
import type { PendingApproval } from "./CallApprovals.js"

const ambiguous: Decision = { _tag: "Rejected", reason: "another call has the same id.", by: "decision" }

/** Every call that waits for the application's word, of its own tools and of hosted MCP tools: they share one door. */
export class Approvals {
  readonly #session: Parts

  constructor(session: Parts) {
    this.#session = session
  }

  pending(): ReadonlyArray<PendingApproval> {
    return [...this.#session.calls.pendingApprovals(), ...this.#session.hostedCalls.pending()]
  }

  /** Whether no more calls may wait. */
  isFull(): boolean {
    return this.pending().length >= this.#session.options.maxPendingApprovals
  }

  /** Another text whenever others wait. */
  version(): string {
    // A call waits once, so who waits says it all; there are never many.
    return JSON.stringify(this.pending().map(({ call }) => call.callId))
  }

  /** Whether a call waited for this decision. `always`: it stands for all calls of this tool by this agent. */
  decide(callId: string, decision: Decision, always: boolean): boolean {
    // Whoever approved one of two calls with this id has not approved the other: neither runs.
    const isAmbiguous = this.pending().filter(({ call }) => call.callId === callId).length > 1
    const word = isAmbiguous ? ambiguous : decision
    const isOwn = this.#session.calls.decide(callId, word, always && !isAmbiguous)
    return this.#session.hostedCalls.decide(callId, word) || isOwn
  }
}
