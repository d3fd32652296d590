import type { ServerItem } from "../embedded/ServerItem.js"
import type { ItemParam } from "../protocol/ItemParam.js"
import type { CallInfo, SessionEvent } from "../SessionEvent.js"
import * as Gaps from "./gaps.js"
import { both, type Law } from "./Law.js"
import {
  type ConnectionRecord,
  isRecord,
  type Moment,
  type Observation,
  outputOf,
  refusedEvent
} from "./Observation.js"

type End = Extract<SessionEvent, { readonly _tag: "ToolSucceeded" | "ToolFailed" }>

const isEnd = (event: SessionEvent): event is End => event._tag === "ToolSucceeded" || event._tag === "ToolFailed"

/** A call with the id of another call has no output and no other end. */
const isDuplicate = (event: SessionEvent): boolean =>
  event._tag === "ToolFailed" && event.error._tag === "DuplicateCall"

const nameOf = ({ callId, tool }: CallInfo): string => `${callId} (${tool})`

/** The connection that carries the session. A newer one may wait to take its place. */
const lastConnection = ({ connections, timeline }: Observation): ConnectionRecord | undefined => {
  const last = timeline.findLast((moment) => moment._tag === "Sent")
  return last?._tag === "Sent" ? connections.find(({ number }) => number === last.connection) : undefined
}

/** The calls that the model completed in its conversation where a session could hear of them, with their outputs. */
const answersOf = (conversation: ReadonlyArray<ServerItem>, gaps: Gaps.Gaps) => {
  const outputs = new Map<string, number>()
  for (const item of conversation) {
    if (item.type === "function_call_output") outputs.set(item.call_id, (outputs.get(item.call_id) ?? 0) + 1)
  }
  return conversation.flatMap((item) =>
    item.type === "function_call" && item.status === "completed" && gaps.isWhole(item.id)
      ? [{ callId: item.call_id, name: item.name, count: outputs.get(item.call_id) ?? 0 }]
      : []
  )
}

/**
 * Calls that the model did not make: the application added them to the conversation, or they were over before a resume.
 */
const callsOfThePast = ({ program: { beginning } }: Observation): ReadonlySet<string> => {
  if (beginning._tag === "Afresh") return new Set()
  const answered = new Set(
    beginning.items.flatMap((item) => (item.type === "function_call_output" ? item.call_id : []))
  )
  const isPast = (callId: string) => beginning._tag === "Edited" || answered.has(callId)
  return new Set(beginning.items.flatMap(callIdOf).filter(isPast))
}

const callIdOf = (item: ItemParam): ReadonlyArray<string> =>
  item.type === "function_call" && item.call_id !== undefined ? [item.call_id] : []

/** How often the server refused an output of each call: after two refusals, it gets no further one. */
const refusalsOf = ({ connections }: Observation): ReadonlyMap<string, number> => {
  const refusals = new Map<string, number>()
  for (const { refused } of connections) {
    for (const { event } of refused) {
      const item = event["item"]
      const callId = isRecord(item) ? item["call_id"] : undefined
      if (typeof callId === "string") refusals.set(callId, (refusals.get(callId) ?? 0) + 1)
    }
  }
  return refusals
}

/** The calls whose output was published, except those that a new connection could not be sent. */
const answered = ({ timeline }: Observation): ReadonlyArray<CallInfo> => {
  const calls = new Map<string, CallInfo>()
  const omitted = new Set<string>()
  const itemOf = new Map<string, string>()
  for (const moment of timeline) {
    if (moment._tag !== "Published") continue
    const { event } = moment
    if (event._tag === "ToolDeferred" || (isEnd(event) && event.output !== undefined)) {
      calls.set(event.call.callId, event.call)
    }
    if (event._tag === "ItemAdded" && event.item._tag === "FunctionCall") itemOf.set(event.item.callId, event.item.id)
    if (event._tag === "Reconnected" || event._tag === "SessionResumed") {
      for (const itemId of event.omitted) omitted.add(itemId)
    }
  }
  return Array.from(calls.values()).filter(({ callId }) => !omitted.has(itemOf.get(callId) ?? ""))
}

interface Told {
  /** By connection. */
  readonly on: Map<number, string>
  /** What the model reads. */
  text: string | undefined
  published: string | undefined
  /** A deferred call: its result is published with its own text. */
  isDeferred: boolean
  /** The server refused the output, and another took its place. */
  isReplaced: boolean
}

export const settlement: Law = both(
  "Settlement",
  "Each function call that the model completes gets exactly one output in its conversation, with the published text.",
  () => {
    const calls = new Map<string, Told>()
    const sentAs = new Map<string, { readonly callId: string; readonly connection: number }>()

    const told = (callId: string): Told => {
      const known = calls.get(callId)
      if (known !== undefined) return known
      const call = { on: new Map(), text: undefined, published: undefined, isDeferred: false, isReplaced: false }
      calls.set(callId, call)
      return call
    }

    const differs = (callId: string, { isReplaced, published, text }: Told): ReadonlyArray<string> =>
      isReplaced || text === undefined || published === undefined || text === published
        ? []
        : [`${callId}: the model reads ${text}, but the published text is ${published}`]

    const sent = ({ connection, event }: Extract<Moment, { readonly _tag: "Sent" }>): ReadonlyArray<string> => {
      const answer = outputOf(event)
      if (answer === undefined) return []
      const { callId, output } = answer
      const call = told(callId)
      if (call.on.has(connection)) return [`${callId} was answered twice on connection ${connection}.`]
      call.on.set(connection, output)
      if (event.event_id !== undefined) sentAs.set(event.event_id, { callId, connection })
      const before = call.text
      call.text = output
      return before !== undefined && before !== output && !call.isReplaced
        ? [`${callId} was answered with a different text than before: ${output}`]
        : differs(callId, call)
    }

    const published = (event: SessionEvent): ReadonlyArray<string> => {
      if (event._tag === "OutputRefused") told(event.call.callId).isReplaced = true
      if ((event._tag !== "ToolDeferred" && !isEnd(event)) || event.output === undefined) return []
      const call = told(event.call.callId)
      if (call.isDeferred) return []
      call.isDeferred = event._tag === "ToolDeferred"
      call.published = event.output
      return differs(event.call.callId, call)
    }

    return (moment) => {
      if (moment._tag === "Sent") return sent(moment)
      if (moment._tag === "Published") return published(moment.event)
      const refused = sentAs.get(refusedEvent(moment) ?? "")
      if (refused === undefined) return []
      const call = told(refused.callId)
      call.on.delete(refused.connection)
      call.isReplaced = true
      return []
    }
  },
  (observation) => {
    const last = lastConnection(observation)
    if (!observation.survived || last === undefined) return []
    const refusals = refusalsOf(observation)
    const past = callsOfThePast(observation)
    const told = new Set(
      last.conversation.flatMap((item) => (item.type === "function_call_output" ? item.call_id : []))
    )
    const forgotten = answered(observation).flatMap((call) =>
      told.has(call.callId) || refusals.has(call.callId)
        ? []
        : [`${nameOf(call)} was answered, but the output was not sent on the last connection.`]
    )
    const wrong = answersOf(last.conversation, Gaps.of(observation)).flatMap(({ callId, count, name }) =>
      count === 1 || (count === 0 && (past.has(callId) || (refusals.get(callId) ?? 0) > 1))
        ? []
        : [`${callId} (${name}) has ${count} outputs at the end.`]
    )
    return [...forgotten, ...wrong]
  }
)

export const publication: Law = both(
  "Publication",
  "The end of each call is published exactly once. A failure is published after its output was sent or kept for another connection.",
  () => {
    const ended = new Set<string>()
    /** By call and response, because an id may be used again. */
    const over = new Map<string, string>()
    const answered = new Set<string>()
    return (moment) => {
      if (moment._tag === "Sent") {
        const output = outputOf(moment.event)
        if (output !== undefined) answered.add(output.callId)
      }
      if (moment._tag !== "Published") return []
      const { event } = moment
      if (event._tag === "OutputDeferred") answered.add(event.call.callId)
      const isOver = isEnd(event) && !isDuplicate(event)
      if (event._tag !== "ToolCallAbandoned" && !isOver) return []
      const { call } = event
      const violations: Array<string> = []
      const key = JSON.stringify([call.callId, call.responseId])
      const before = over.get(key) ?? event._tag
      if ((before === "ToolCallAbandoned") !== (event._tag === "ToolCallAbandoned")) {
        violations.push(`${nameOf(call)} ran, but was also abandoned.`)
      }
      over.set(key, event._tag)
      if (!isEnd(event)) return violations
      if (ended.has(call.callId)) violations.push(`${nameOf(call)} ended twice.`)
      ended.add(call.callId)
      if (event.output !== undefined && !answered.has(call.callId)) {
        violations.push(`${nameOf(call)} ended before its output was sent.`)
      }
      return violations
    }
  },
  (observation) => {
    const { survived, timeline } = observation
    const violations: Array<string> = []
    const ended = new Set<string>()
    const begun = new Map<string, CallInfo>()
    for (const moment of timeline) {
      if (moment._tag !== "Published") continue
      const { event } = moment
      if (event._tag === "ToolStarted" || event._tag === "ToolApprovalRequested") {
        begun.set(event.call.callId, event.call)
      }
      if (isEnd(event) && !isDuplicate(event)) ended.add(event.call.callId)
      // A hosted tool runs on the server, which sends the rest.
      if (event._tag === "ToolApproved" && observation.policyOf(event.call.agent, event.call.tool) === undefined) {
        ended.add(event.call.callId)
      }
    }
    for (const [callId, call] of begun) {
      if (!ended.has(callId)) violations.push(`${nameOf(call)} began, but its end was never published.`)
    }
    const last = lastConnection(observation)
    if (!survived || last === undefined) return violations
    const before = callsOfBeginning(observation)
    for (const { callId, name } of answersOf(last.conversation, Gaps.of(observation))) {
      if (!ended.has(callId) && !before.has(callId)) {
        violations.push(`${callId} (${name}): its end was never published.`)
      }
    }
    return violations
  }
)

/** Calls whose end will not be published. */
const callsOfBeginning = (observation: Observation): ReadonlySet<string> => {
  const { beginning } = observation.program
  return beginning._tag === "Resumed" && beginning.leftCalls === "Settled"
    ? new Set(beginning.items.flatMap(callIdOf))
    : callsOfThePast(observation)
}

export { isDuplicate, isEnd }
