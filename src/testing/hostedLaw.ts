import { requestOf } from "../machine/ResponseScheduler.js"
import type { SessionEvent } from "../SessionEvent.js"
import { hostedLeft } from "./beginning.js"
import { both, type Law } from "./Law.js"
import { field, isRecord, type Moment } from "./Observation.js"

/** A call of a hosted tool, which the session knows by its item, or by the item that asked for approval. */
interface Hosted {
  readonly responseId: string | undefined
  /** The position in the timeline at which it was over. */
  over: number | undefined
}

const isOver = (item: { readonly [key: string]: unknown }): boolean =>
  (item["output"] ?? undefined) !== undefined || (item["error"] ?? undefined) !== undefined

const idOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const isRequest = (moment: Moment): moment is Extract<Moment, { readonly _tag: "Sent" }> =>
  moment._tag === "Sent" && moment.event.type === "response.create" && moment.event.response?.conversation !== "none"

type Started = Extract<SessionEvent, { readonly _tag: "ResponseStarted" }>

export const hostedCalls: Law = both(
  "HostedCalls",
  "After a call of a hosted tool, the model is asked once to go on: when the response that made it is over, and all of its calls are. An approval that another process did not get is asked for again.",
  ({ parallelReply }) => {
    const calls = new Map<string, Hosted>()
    /** Of a call that was approved: the item that asked, by the item of the call. */
    const askedBy = new Map<string, string>()
    const ended = new Map<string, number>()
    /** The last time that each request was sent. */
    const sent = new Map<string, number>()
    /** Responses that completed after these calls, by their request. */
    const answered = new Map<string, string>()
    const startedFor = new Map<string, Started>()
    const startedAt = new Map<string, number>()

    const over = (id: string | undefined, index: number): void => {
      const call = id === undefined ? undefined : calls.get(askedBy.get(id) ?? id)
      if (call !== undefined) call.over ??= index
    }

    const seen = (item: unknown, responseId: string | undefined, index: number): void => {
      const id = idOf(field(item, "id"))
      if (!isRecord(item) || id === undefined) return
      const requestId = idOf(item["approval_request_id"])
      if (item["type"] === "mcp_call" && requestId !== undefined && calls.has(requestId)) askedBy.set(id, requestId)
      else if ((item["type"] === "mcp_call" || item["type"] === "mcp_approval_request") && responseId !== undefined) {
        if (!calls.has(id)) calls.set(id, { responseId, over: undefined })
      }
      if (item["type"] === "mcp_call" && isOver(item)) over(id, index)
    }

    const told = (event: SessionEvent, index: number): void => {
      switch (event._tag) {
        case "ToolFailed":
        case "ToolCallAbandoned":
          over(event.call.callId, index)
          break
        case "ResponseDone": {
          ended.set(event.responseId, ended.get(event.responseId) ?? index)
          const started = startedFor.get(event.responseId)
          if (event.status !== "completed" || started?.requestId === undefined) break
          for (const callId of started.cause?.callIds ?? []) {
            if (calls.has(callId) && !answered.has(callId)) answered.set(callId, requestOf(started.requestId))
          }
          break
        }
        case "ResponseStalled":
          if (event.responseId !== undefined) ended.set(event.responseId, ended.get(event.responseId) ?? index)
          break
        case "ConnectionLost":
          // They were the server's, and are lost with its conversation.
          for (const call of calls.values()) call.over ??= index
          break
      }
    }

    /** Calls of the same response that hold back the reply: one that waits for approval does not. */
    const open = (responseId: string, at: number): boolean =>
      parallelReply === "all" &&
      Array.from(calls).some(
        ([id, call]) =>
          call.responseId === responseId && !isApproval.has(id) && (call.over === undefined || call.over > at)
      )
    const isApproval = new Set<string>()

    const started = (event: Started, index: number): ReadonlyArray<string> => {
      startedFor.set(event.responseId, event)
      startedAt.set(event.responseId, index)
      if (event.outOfBand || event.requestId === undefined) return []
      const requestId = requestOf(event.requestId)
      const at = sent.get(requestId)
      if (at === undefined) return []
      return (event.cause?.callIds ?? []).flatMap((callId) => {
        const call = calls.get(callId)
        if (call === undefined) return []
        const violations: Array<string> = []
        const before = answered.get(callId)
        if (before !== undefined && before !== requestId) violations.push(`The model was asked twice after ${callId}.`)
        if (call.over === undefined || call.over > at) violations.push(`The model was asked before ${callId} was over.`)
        const { responseId } = call
        if (responseId === undefined) return violations
        // Of a response that began unseen, only the end of a call may be known: it may be over, or refuse the request.
        const isKnown = (startedAt.get(responseId) ?? at) < at
        const end = ended.get(responseId)
        if (isKnown && (end === undefined || end > at)) {
          violations.push(`The model was asked after ${callId} while its response ${responseId} went on.`)
        }
        if (open(responseId, at)) {
          violations.push(`The model was asked after ${callId} while other calls of ${responseId} went on.`)
        }
        return violations
      })
    }

    return (moment, index) => {
      if (isRequest(moment)) sent.set(requestOf(moment.event.event_id ?? ""), index)
      if (moment._tag === "Published") {
        told(moment.event, index)
        return moment.event._tag === "ResponseStarted" ? started(moment.event, index) : []
      }
      if (moment._tag !== "Answered") return []
      const { item, item_id: itemId, response, response_id: responseId, type } = moment.event
      if (type === "response.mcp_call.completed" || type === "response.mcp_call.failed") over(idOf(itemId), index)
      if (type === "response.done") {
        const id = idOf(field(response, "id"))
        if (id !== undefined) ended.set(id, ended.get(id) ?? index)
      }
      if (field(item, "type") === "mcp_approval_request") isApproval.add(idOf(field(item, "id")) ?? "")
      seen(item, idOf(responseId), index)
      return []
    }
  },
  ({ program: { beginning }, survived, timeline }) => {
    if (!survived || beginning._tag !== "Resumed" || beginning.hosted !== "asked") return []
    return hostedLeft(beginning).flatMap(({ id }) => {
      const times = timeline.filter(
        (moment) =>
          moment._tag === "Published" &&
          moment.event._tag === "ToolApprovalRequested" &&
          moment.event.call.callId === id
      ).length
      return times === 1 ? [] : [`${id}, which waited for approval, was asked for ${times} times.`]
    })
  }
)

/** How long the session waits for the server to begin to read a list which it knows. */
const beginsWithinMs = 500

/** The labels of the hosted servers in a session's settings. */
const serversOf = (session: unknown): ReadonlySet<unknown> => {
  const tools = field(session, "tools")
  if (!Array.isArray(tools)) return new Set()
  return new Set(tools.filter((tool) => field(tool, "type") === "mcp").map((tool) => field(tool, "server_label")))
}

export const hostedImports: Law = both(
  "HostedImports",
  "No response is requested while the server reads the tools of a hosted server, for as long as the session's options say.",
  ({ hostedImportTimeoutMs }) => {
    /** Since when each list has been awaited. */
    const pending = new Map<string, number>()
    const labels = new Map<string, unknown>()
    let since: number | undefined

    const progressed = (
      { itemId, state }: Extract<SessionEvent, { readonly _tag: "McpProgressed" }>,
      atMs: number
    ): void => {
      if (state === "InProgress") {
        if (since !== undefined && atMs - since <= beginsWithinMs) pending.set(itemId, since)
        return
      }
      const label = labels.get(itemId)
      pending.delete(itemId)
      // The same server may be read twice at a time: one list of it is enough.
      for (const other of pending.keys()) if (label !== undefined && labels.get(other) === label) pending.delete(other)
    }

    const published = (event: SessionEvent, atMs: number): void => {
      switch (event._tag) {
        case "McpProgressed":
          if (event.what === "ListTools") progressed(event, atMs)
          break
        case "HostedImportFailed":
          // Given up: while the journal is slow, what began the wait was published later than it was.
          for (const itemId of pending.keys()) {
            if ((labels.get(itemId) ?? event.server) === event.server) pending.delete(itemId)
          }
          break
        case "SessionUpdated": {
          const servers = serversOf(event.session)
          since = servers.size > 0 ? atMs : undefined
          // Lists of servers that the agent does not have are not waited for.
          for (const itemId of pending.keys()) if (!servers.has(labels.get(itemId))) pending.delete(itemId)
          break
        }
        // Lists of the agent before are not waited for, unless they are begun again.
        case "HandedOff":
        case "ConnectionLost":
          since = undefined
          pending.clear()
          break
      }
    }

    return (moment) => {
      const { atMs } = moment
      if (moment._tag === "Answered") {
        const { item } = moment.event
        if (field(item, "type") === "mcp_list_tools") labels.set(String(field(item, "id")), field(item, "server_label"))
      }
      if (moment._tag === "Published") published(moment.event, atMs)
      if (!isRequest(moment) || since === undefined) return []
      return Array.from(pending).flatMap(([itemId, began]) =>
        atMs - began >= hostedImportTimeoutMs
          ? []
          : [`A response was requested while the list ${itemId} was being read.`]
      )
    }
  }
)
