import { forgetOldest } from "../../common/forgetOldest.js"
import type * as Ledger from "../../machine/CallLedger.js"
import type { McpApprovalRequestItem, McpCallItem } from "../../protocol/Item.js"
import type { CallInfo } from "../../SessionEvent.js"
import { type ToolError, ToolInterrupted, ToolRejected, ToolTimedOut } from "../../ToolError.js"
import type { Decision } from "../../tool/settle.js"
import { creationOf } from "../conversation/Creation.js"
import type { Parts } from "../Parts.js"
import { notAsked, type PendingApproval, withdrawn } from "./CallApprovals.js"
import { isOver } from "./leftHosted.js"

type Phase =
  | { readonly _tag: "AwaitingApproval"; readonly until: number; readonly deadline: number }
  /** `isWithin`: it runs as part of its response, and may end with it. */
  | { readonly _tag: "Running"; readonly until: number; readonly isWithin: boolean }

interface Hosted {
  readonly call: CallInfo
  readonly since: number
  phase: Phase
}

/** Far more than the ended calls that a server mentions again. */
const maxEnded = 256

/** Far more than the calls that a server runs at a time. The oldest gives way. */
const maxOpen = 256

const notDecided: Decision = { _tag: "Rejected", reason: "it was not decided in time.", by: "deadline" }

/**
 * Calls of hosted MCP tools, which the server runs itself. Their approvals work like those of the session's own tools:
 * the same event, the same commands, the same deadline. The model does not go on by itself after such calls: it is
 * asked to, once their response is over and all of its calls have ended.
 */
export class HostedCalls {
  readonly #session: Parts

  /** By the id of the approval request, if there was one, otherwise by the id of the call's item. */
  readonly #open = new Map<string, Hosted>()
  /** The items of approved calls, and what they are known by. A server may say more than once that one is over. */
  readonly #idOf = new Map<string, string>()
  readonly #over = new Set<string>()
  /** Calls whose end came first: nothing has said yet which response made them. */
  readonly #unclaimed = new Set<string>()

  constructor(session: Parts) {
    this.#session = session
  }

  /** `responseId`: absent if another process was asked before. */
  approvalRequested(item: McpApprovalRequestItem, responseId: string | undefined): void {
    if (this.#isKnown(item.id)) return
    const { approvals, options, outbox } = this.#session
    const call = this.#callOf(item, responseId)
    const isFull = approvals.isFull()
    const deadline = this.#session.timeOfDay() + options.approvalTimeout
    this.#begin(call, { _tag: "AwaitingApproval", until: this.#session.now() + options.approvalTimeout, deadline })
    const isWithdrawn = responseId !== undefined && this.#session.calls.ledger.isWithdrawn(responseId)
    if (isWithdrawn) this.decide(item.id, withdrawn)
    else if (isFull) this.decide(item.id, notAsked)
    else outbox.publish({ _tag: "ToolApprovalRequested", call, deadline })
  }

  /**
   * An item of a call, in its current state: it may have just begun, or be over. `responseId`: absent outside
   * responses.
   */
  seen(item: McpCallItem, responseId: string | undefined): void {
    const { approval_request_id: requestId } = item
    if (typeof requestId === "string" && this.#isKnown(requestId)) {
      this.#idOf.set(item.id, requestId)
      forgetOldest(this.#idOf, maxOpen)
    } else if (responseId !== undefined && !this.#isKnown(item.id)) {
      const isWithin = !this.#session.calls.hasEnded(responseId)
      this.#begin(this.#callOf(item, responseId), { _tag: "Running", until: this.#runsUntil(), isWithin })
    }
    const isAwaited = this.#unclaimed.delete(item.id)
    // Items that a client creates look the same: only a call of which something was seen ends here.
    if (isOver(item) && (isAwaited || this.#idOf.has(item.id) || this.#open.has(item.id))) this.ended(item.id)
  }

  /** The call is outside the conversation, where the model does not go on after it. */
  isBeside(itemId: string): void {
    this.#forget(itemId)
  }

  /** The server says that the call of this item is over. */
  ended(itemId: string): void {
    const id = this.#idOf.get(itemId) ?? itemId
    if (this.#over.has(id)) return
    const { calls, conversation } = this.#session
    // If a call began unseen, as on a lost connection, its end is all that is known.
    if (!this.#open.has(id)) {
      // Its item follows, and says which response made it: that one may still go on.
      if (conversation.get(itemId) === undefined) {
        this.#unclaimed.add(itemId)
        forgetOldest(this.#unclaimed, maxEnded)
        return
      }
      calls.step({ _tag: "HostedArrived", callId: id, responseId: undefined, awaitsApproval: false })
    }
    this.#close(id)
    calls.step({ _tag: "HostedSettled", callId: id })
  }

  responseEnded(responseId: string, end: Ledger.ResponseEnd): void {
    if (end === "Whole" || this.#open.size === 0) return
    const { calls, outbox } = this.#session
    for (const [id, { call, phase }] of Array.from(this.#open)) {
      if (call.responseId !== responseId || phase._tag !== "Running" || !phase.isWithin) continue
      this.#close(id)
      outbox.publish({ _tag: "ToolCallAbandoned", call })
      calls.step({ _tag: "HostedLost", callId: id, owesReply: false })
      calls.step({ _tag: "Abandoned", responseId })
    }
  }

  /** Decides on a call. Returns whether a call waited for the decision. */
  decide(id: string, decision: Decision): boolean {
    const hosted = this.#open.get(id)
    if (hosted?.phase._tag !== "AwaitingApproval") return false
    const { calls, newId, outbox } = this.#session
    const { call } = hosted
    const itemId = newId("apr")
    const approve = decision._tag === "Approved"
    outbox.send(
      creationOf(itemId, {
        type: "mcp_approval_response",
        id: itemId,
        approval_request_id: id,
        approve,
        ...(decision._tag === "Rejected" ? { reason: decision.reason } : {})
      })
    )
    if (decision._tag === "Approved") {
      hosted.phase = { _tag: "Running", until: this.#runsUntil(), isWithin: false }
      outbox.publish({ _tag: "ToolApproved", call })
      calls.step({ _tag: "HostedApproved", callId: id })
    } else {
      this.#close(id)
      const { by, reason } = decision
      this.#failed(hosted, new ToolRejected({ ...nameOf(call), reason, by }))
      calls.step({ _tag: "HostedSettled", callId: id, awaiting: itemId })
    }
    return true
  }

  /** A guardrail withdrew the answer that this response is of: nobody needs to be asked any more. */
  withdrawn(responseId: string): void {
    for (const [id, { call }] of Array.from(this.#open)) if (call.responseId === responseId) this.decide(id, withdrawn)
  }

  pending(): ReadonlyArray<PendingApproval> {
    return Array.from(this.#open.values()).flatMap(({ call, phase }) =>
      phase._tag === "AwaitingApproval" ? { call, deadline: phase.deadline } : []
    )
  }

  /** Whether no call is open: another connection would not know it. */
  isIdle(): boolean {
    return this.#open.size === 0
  }

  /** The calls belonged to the server, and are lost with its conversation. */
  disconnected(): void {
    const { calls } = this.#session
    for (const [id, hosted] of Array.from(this.#open)) {
      this.#close(id)
      this.#failed(hosted, new ToolInterrupted(nameOf(hosted.call)))
      // A response that was cut off is itself requested again.
      calls.step({ _tag: "HostedLost", callId: id, owesReply: calls.hasEnded(hosted.call.responseId) })
    }
    this.#idOf.clear()
    this.#unclaimed.clear()
  }

  /** The server has gone on with the calls, and some may have ended while nobody was connected: asks for their items. */
  reconnected(): void {
    const { newId, outbox } = this.#session
    const approved = new Map(Array.from(this.#idOf, ([itemId, id]) => [id, itemId]))
    for (const [id, { phase }] of this.#open) {
      if (phase._tag !== "Running") continue
      const itemId = approved.get(id) ?? id
      outbox.send({ type: "conversation.item.retrieve", event_id: newId("ret"), item_id: itemId })
    }
  }

  /** The session is over: nothing is decided any more, and the model does not go on. */
  close(): void {
    for (const hosted of this.#open.values()) this.#failed(hosted, new ToolInterrupted(nameOf(hosted.call)))
    this.#open.clear()
  }

  deadline(): number | undefined {
    let earliest: number | undefined
    for (const { phase } of this.#open.values()) {
      if (earliest === undefined || phase.until < earliest) earliest = phase.until
    }
    return earliest
  }

  timePassed(): void {
    for (const [id, hosted] of Array.from(this.#open)) {
      if (hosted.phase.until > this.#session.now()) continue
      if (hosted.phase._tag === "AwaitingApproval") this.decide(id, notDecided)
      else this.#giveUp(id, hosted, this.#session.options.hostedCallTimeout)
    }
  }

  #isKnown(id: string): boolean {
    return this.#open.has(id) || this.#over.has(id)
  }

  #callOf(item: McpApprovalRequestItem | McpCallItem, responseId: string | undefined): CallInfo {
    const { arguments: args, id: callId, name: tool, server_label: server } = item
    return { callId, tool, agent: this.#session.agent, server, responseId, arguments: args }
  }

  #runsUntil(): number {
    return this.#session.now() + this.#session.options.hostedCallTimeout
  }

  #begin(call: CallInfo, phase: Phase): void {
    const since = this.#session.now()
    const [oldest] = this.#open.size < maxOpen ? [] : this.#open
    if (oldest !== undefined) this.#giveUp(...oldest, since - oldest[1].since)
    const { callId, responseId } = call
    this.#open.set(callId, { call, since, phase })
    const awaitsApproval = phase._tag === "AwaitingApproval"
    this.#session.calls.step({ _tag: "HostedArrived", callId, responseId, awaitsApproval })
  }

  #close(id: string): void {
    this.#open.delete(id)
    this.#forget(id)
  }

  #forget(id: string): void {
    this.#over.add(id)
    forgetOldest(this.#over, maxEnded)
  }

  #failed({ call, since }: Hosted, error: ToolError<never>): void {
    const durationMs = this.#session.now() - since
    this.#session.outbox.publish({ _tag: "ToolFailed", call, error, output: undefined, durationMs })
  }

  /** Asks the model to go on without the result. */
  #giveUp(id: string, hosted: Hosted, afterMs: number): void {
    this.#close(id)
    this.#failed(hosted, new ToolTimedOut({ ...nameOf(hosted.call), afterMs }))
    this.#session.calls.step({ _tag: "HostedSettled", callId: id })
  }
}

const nameOf = ({ agent, callId, tool }: CallInfo) => ({ callId, tool, agent })
