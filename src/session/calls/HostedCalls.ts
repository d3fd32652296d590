import type * as Ledger from "../../machine/CallLedger.js"
import { forgetOldest } from "../../machine/forgetOldest.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { McpApprovalRequestItem, McpCallItem } from "../../protocol/Item.js"
import type { CallInfo, SessionEvent } from "../../SessionEvent.js"
import { type ToolError, ToolInterrupted, ToolRejected, ToolTimedOut } from "../../ToolError.js"
import type { Decision } from "../../tool/settle.js"
import { notAsked, type PendingApproval } from "./CallApprovals.js"

/**
 * Calls of hosted MCP tools, which the server runs itself. What waits there for the application's word comes through the
 * same door as the calls of its own tools: the same event, the same commands, the same deadline. And as after those, the
 * model does not go on by itself: it is asked to, once their response is over and all of its calls have ended.
 */
export interface HostedCalls {
  readonly approvalRequested: (item: McpApprovalRequestItem, responseId: string) => void
  /** An item of a call, as it stands: it may have just begun, or be over. `responseId`: absent beside the responses. */
  readonly seen: (item: McpCallItem, responseId: string | undefined) => void
  /** It is beside the conversation: nobody goes on after it there. */
  readonly isBeside: (itemId: string) => void
  /** The server says of this item that the call is over. */
  readonly ended: (itemId: string) => void
  readonly responseEnded: (responseId: string, end: Ledger.ResponseEnd) => void
  readonly decide: (id: string, decision: Decision) => boolean
  readonly pending: () => ReadonlyArray<PendingApproval>
  /** None is open: another connection would know nothing of it. */
  readonly isIdle: () => boolean
  /** The calls were the server's, and are gone with its conversation. */
  readonly disconnected: () => void
  /** The session is over: nobody decides any more, or goes on. */
  readonly close: () => void
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly agent: () => string
  /** Milliseconds. */
  readonly approvalTimeout: number
  /** From the moment in which a call may run to its end, in milliseconds. */
  readonly callTimeout: number
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly timeOfDay: () => number
  readonly newId: (prefix: string) => string
  readonly send: (event: ClientEvent) => void
  readonly publish: (event: SessionEvent<never>) => void
  /** Whether no more calls may wait. */
  readonly isFull: () => boolean
  /** Tells the ledger. */
  readonly step: (input: Ledger.HostedInput | Extract<Ledger.Input, { _tag: "Abandoned" }>) => void
  readonly hasEnded: (responseId: string | undefined) => boolean
}

type Phase =
  | { readonly _tag: "AwaitingApproval"; readonly until: number; readonly deadline: number }
  /** `isWithin`: as a part of its response, whose end may be its own. */
  | { readonly _tag: "Running"; readonly until: number; readonly isWithin: boolean }

interface Hosted {
  readonly call: CallInfo
  readonly since: number
  phase: Phase
}

/** Far more than are spoken of again after their end. */
const maxEnded = 256

/** Far more than a server runs at a time; the oldest gives way. */
const maxOpen = 256

const notDecided: Decision = { _tag: "Rejected", reason: "it was not decided in time.", by: "deadline" }

export const make = (env: Environment): HostedCalls => {
  const { newId, now, publish, send, step } = env
  /** By the id of the request for approval, where there was one, else by that of the call's item. */
  const open = new Map<string, Hosted>()
  /** The items of approved calls, and what they are kept under. */
  const idOf = new Map<string, string>()
  const over = new Set<string>()

  const forget = (id: string): void => {
    over.add(id)
    forgetOldest(over, maxEnded)
  }

  const close = (id: string): void => {
    open.delete(id)
    forget(id)
  }

  const failed = ({ call, since }: Hosted, error: ToolError<never>): void =>
    publish({ _tag: "ToolFailed", call, error, output: undefined, durationMs: now() - since })

  const decide: HostedCalls["decide"] = (id, decision) => {
    const hosted = open.get(id)
    if (hosted?.phase._tag !== "AwaitingApproval") return false
    const { call } = hosted
    const itemId = newId("apr")
    const approve = decision._tag === "Approved"
    send({
      type: "conversation.item.create",
      event_id: itemId,
      item: {
        type: "mcp_approval_response",
        id: itemId,
        approval_request_id: id,
        approve,
        ...(decision._tag === "Rejected" ? { reason: decision.reason } : {})
      }
    })
    if (decision._tag === "Approved") {
      hosted.phase = { _tag: "Running", until: now() + env.callTimeout, isWithin: false }
      publish({ _tag: "ToolApproved", call })
      step({ _tag: "HostedApproved", callId: id })
    } else {
      close(id)
      const { by, reason } = decision
      failed(hosted, new ToolRejected({ ...nameOf(call), reason, by }))
      step({ _tag: "HostedSettled", callId: id, awaiting: itemId })
    }
    return true
  }

  /** The model is to go on without. */
  const giveUp = (id: string, hosted: Hosted, afterMs: number): void => {
    close(id)
    failed(hosted, new ToolTimedOut({ ...nameOf(hosted.call), afterMs }))
    step({ _tag: "HostedSettled", callId: id })
  }

  const begin = (call: CallInfo, phase: Phase): void => {
    const [oldest] = open.size < maxOpen ? [] : open
    if (oldest !== undefined) giveUp(...oldest, now() - oldest[1].since)
    open.set(call.callId, { call, since: now(), phase })
    const awaitsApproval = phase._tag === "AwaitingApproval"
    step({ _tag: "HostedArrived", callId: call.callId, responseId: call.responseId, awaitsApproval })
  }

  const ended = (itemId: string): void => {
    const id = idOf.get(itemId) ?? itemId
    if (over.has(id)) return
    // Of a call that began unseen, the end is all that is known.
    if (!open.has(id)) step({ _tag: "HostedArrived", callId: id, responseId: undefined, awaitsApproval: false })
    close(id)
    idOf.delete(itemId)
    step({ _tag: "HostedSettled", callId: id })
  }

  return {
    approvalRequested: (item, responseId) => {
      if (open.has(item.id) || over.has(item.id)) return
      const call = { callId: item.id, tool: item.name, agent: env.agent(), responseId, arguments: item.arguments }
      const isFull = env.isFull()
      const deadline = env.timeOfDay() + env.approvalTimeout
      begin(call, { _tag: "AwaitingApproval", until: now() + env.approvalTimeout, deadline })
      if (isFull) decide(item.id, notAsked)
      else publish({ _tag: "ToolApprovalRequested", call, deadline })
    },
    seen: (item, responseId) => {
      const { approval_request_id: requestId } = item
      const isOver = (item.output ?? undefined) !== undefined || (item.error ?? undefined) !== undefined
      if (typeof requestId === "string" && open.has(requestId)) {
        idOf.set(item.id, requestId)
        forgetOldest(idOf, maxOpen)
      } else if (responseId !== undefined && !open.has(item.id) && !over.has(item.id)) {
        const call = { callId: item.id, tool: item.name, agent: env.agent(), responseId, arguments: item.arguments }
        begin(call, { _tag: "Running", until: now() + env.callTimeout, isWithin: !env.hasEnded(responseId) })
      }
      // What a client puts into the conversation looks the same: only a call that was seen to begin ends here.
      if (isOver && (idOf.has(item.id) || open.has(item.id))) ended(item.id)
    },
    isBeside: forget,
    ended,
    responseEnded: (responseId, end) => {
      if (end === "Whole") return
      for (const [id, { call, phase }] of Array.from(open)) {
        if (call.responseId !== responseId || phase._tag !== "Running" || !phase.isWithin) continue
        close(id)
        publish({ _tag: "ToolCallAbandoned", call })
        step({ _tag: "HostedLost", callId: id, owesReply: false })
        step({ _tag: "Abandoned", responseId })
      }
    },
    decide,
    pending: () =>
      Array.from(open.values()).flatMap(({ call, phase }) =>
        phase._tag === "AwaitingApproval" ? { call, deadline: phase.deadline } : []
      ),
    isIdle: () => open.size === 0,
    disconnected: () => {
      for (const [id, hosted] of Array.from(open)) {
        close(id)
        failed(hosted, new ToolInterrupted(nameOf(hosted.call)))
        // A response that is cut off is asked for again itself.
        step({ _tag: "HostedLost", callId: id, owesReply: env.hasEnded(hosted.call.responseId) })
      }
      idOf.clear()
    },
    close: () => {
      for (const hosted of open.values()) failed(hosted, new ToolInterrupted(nameOf(hosted.call)))
      open.clear()
    },
    deadline: () => {
      let earliest: number | undefined
      for (const { phase } of open.values()) {
        if (earliest === undefined || phase.until < earliest) earliest = phase.until
      }
      return earliest
    },
    timePassed: () => {
      for (const [id, hosted] of Array.from(open)) {
        if (hosted.phase.until > now()) continue
        if (hosted.phase._tag === "AwaitingApproval") decide(id, notDecided)
        else giveUp(id, hosted, env.callTimeout)
      }
    }
  }
}

const nameOf = ({ agent, callId, tool }: CallInfo) => ({ callId, tool, agent })
