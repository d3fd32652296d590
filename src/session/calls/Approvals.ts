import type { Decision } from "../../tool/settle.js"
import type { PendingApproval } from "./CallApprovals.js"
import type { Calls } from "./Calls.js"
import type { HostedCalls } from "./HostedCalls.js"

/** Every call that waits for the application's word, of its own tools and of hosted MCP tools: they share one door. */
export interface Approvals {
  readonly pending: () => ReadonlyArray<PendingApproval>
  /** Another text whenever others wait. */
  readonly version: () => string
  /** Whether a call waited for this decision. `always`: it stands for all calls of this tool by this agent. */
  readonly decide: (callId: string, decision: Decision, always: boolean) => boolean
}

const ambiguous: Decision = { _tag: "Rejected", reason: "another call has the same id.", by: "decision" }

export const make = (
  calls: Pick<Calls<never>, "decide" | "pendingApprovals">,
  hosted: Pick<HostedCalls, "decide" | "pending">
): Approvals => {
  const pending = () => [...calls.pendingApprovals(), ...hosted.pending()]
  return {
    pending,
    // A call waits once, so who waits says it all; there are never many.
    version: () => JSON.stringify(pending().map(({ call }) => call.callId)),
    decide: (callId, decision, always) => {
      // Whoever approved one of two calls with this id has not approved the other: neither runs.
      const isAmbiguous = pending().filter(({ call }) => call.callId === callId).length > 1
      const word = isAmbiguous ? ambiguous : decision
      const isOwn = calls.decide(callId, word, always && !isAmbiguous)
      return hosted.decide(callId, word) || isOwn
    }
  }
}
