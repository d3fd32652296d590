import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { McpApprovalRequestItem } from "../../protocol/Item.js"
import type { CallInfo, SessionEvent } from "../../SessionEvent.js"
import { ToolInterrupted, ToolRejected } from "../../ToolError.js"
import type { Decision } from "../../tool/settle.js"
import { notAsked, type PendingApproval } from "./CallApprovals.js"

/**
 * Calls of hosted MCP tools, which run on the server and wait there for the application's word. They come through the
 * same door as those of its own tools: the same event, the same commands, the same deadline.
 */
export interface McpApprovals {
  readonly requested: (item: McpApprovalRequestItem, responseId: string) => void
  readonly decide: (id: string, decision: Decision) => boolean
  readonly pending: () => ReadonlyArray<PendingApproval>
  /** The calls that wait were the server's, and are gone with its conversation. */
  readonly disconnected: () => void
  readonly close: () => Effect.Effect<void>
}

export interface Environment {
  readonly agent: () => string
  /** Milliseconds. */
  readonly approvalTimeout: number
  readonly now: () => number
  readonly newId: (prefix: string) => string
  readonly send: (event: ClientEvent) => void
  readonly publish: (event: SessionEvent<never>) => void
  readonly run: (effect: Effect.Effect<unknown>) => void
  readonly expired: (id: string) => void
  /** Whether no more calls may wait. */
  readonly isFull: () => boolean
  /** The model is to go on once it has seen this item. */
  readonly askToGoOn: (awaiting: ReadonlyArray<string>) => void
}

const rejected = ({ agent, callId, tool }: CallInfo, { by, reason }: Extract<Decision, { _tag: "Rejected" }>) =>
  new ToolRejected({ callId, tool, agent, reason, by })

interface Pending {
  readonly since: number
  readonly call: CallInfo
  readonly deadline: number
  alarm: Fiber.RuntimeFiber<unknown> | undefined
}

export const make = (env: Environment): McpApprovals => {
  const waiting = new Map<string, Pending>()

  const decide: McpApprovals["decide"] = (id, decision) => {
    const pending = waiting.get(id)
    if (pending === undefined) return false
    waiting.delete(id)
    if (pending.alarm !== undefined) env.run(Fiber.interruptFork(pending.alarm))
    const approve = decision._tag === "Approved"
    const itemId = env.newId("apr")
    env.send({
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
    env.publish(
      decision._tag === "Approved"
        ? { _tag: "ToolApproved", call: pending.call }
        : {
            _tag: "ToolFailed",
            call: pending.call,
            error: rejected(pending.call, decision),
            output: undefined,
            durationMs: env.now() - pending.since
          }
    )
    env.askToGoOn([itemId])
    return true
  }

  return {
    requested: (item, responseId) => {
      if (waiting.has(item.id)) return
      const call = { callId: item.id, tool: item.name, agent: env.agent(), responseId, arguments: item.arguments }
      const since = env.now()
      const pending: Pending = { since, call, deadline: since + env.approvalTimeout, alarm: undefined }
      const isFull = env.isFull()
      waiting.set(item.id, pending)
      if (isFull) {
        decide(item.id, notAsked)
        return
      }
      env.publish({ _tag: "ToolApprovalRequested", call, deadline: pending.deadline })
      env.run(
        Effect.sleep(env.approvalTimeout).pipe(
          Effect.zipRight(Effect.sync(() => env.expired(item.id))),
          Effect.forkDaemon,
          Effect.tap((fiber) =>
            Effect.sync(() => {
              pending.alarm = fiber
            })
          )
        )
      )
    },
    decide,
    pending: () => Array.from(waiting.values(), ({ call, deadline }) => ({ call, deadline })),
    disconnected: () => {
      for (const { alarm, call, since } of waiting.values()) {
        if (alarm !== undefined) env.run(Fiber.interruptFork(alarm))
        const error = new ToolInterrupted({ callId: call.callId, tool: call.tool, agent: call.agent })
        env.publish({ _tag: "ToolFailed", call, error, output: undefined, durationMs: env.now() - since })
      }
      waiting.clear()
    },
    close: () => {
      const alarms = Array.from(waiting.values()).flatMap(({ alarm }) => alarm ?? [])
      waiting.clear()
      return Fiber.interruptAll(alarms)
    }
  }
}
