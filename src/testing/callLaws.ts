import type { ServerItem } from "../embedded/ServerItem.js"
import type { CallInfo, SessionEvent } from "../SessionEvent.js"
import { type Law, law, type Violation } from "./Law.js"
import { type Observation, outputOf } from "./Observation.js"

type End = Extract<SessionEvent, { readonly _tag: "ToolSucceeded" | "ToolFailed" }>

const isEnd = (event: SessionEvent): event is End => event._tag === "ToolSucceeded" || event._tag === "ToolFailed"

/** A call under the id of another has no output of its own, and no end but this. */
const isDuplicate = (event: SessionEvent): boolean =>
  event._tag === "ToolFailed" && event.error._tag === "DuplicateCall"

interface Sending {
  readonly moment: number
  readonly connection: number
  readonly callId: string
  readonly output: string
  readonly wasRefused: boolean
}

/** The outputs that the session sent. */
export const sendings = ({ connections, timeline }: Observation): ReadonlyArray<Sending> => {
  const refused = new Set(connections.flatMap(({ refused }) => refused.map(({ event }) => event["event_id"])))
  return timeline.flatMap((entry, moment) => {
    const output = entry._tag === "Sent" ? outputOf(entry.event) : undefined
    if (entry._tag !== "Sent" || output === undefined) return []
    return [{ moment, connection: entry.connection, ...output, wasRefused: refused.has(entry.event.event_id) }]
  })
}

const nameOf = ({ callId, tool }: CallInfo): string => `${callId} (${tool})`

/** What the model completed in its conversation, with what it got for it. */
const answersOf = (conversation: ReadonlyArray<ServerItem>) =>
  conversation.flatMap((item) => {
    if (item.type !== "function_call" || item.status !== "completed") return []
    const outputs = conversation.filter(
      (other) => other.type === "function_call_output" && other.call_id === item.call_id
    )
    return [{ callId: item.call_id, name: item.name, count: outputs.length }]
  })

export const settlement: Law = law(
  "Settlement",
  "Each function call that the model completes gets exactly one output in its conversation, with the text that is published.",
  (observation) => {
    const { connections, survived, timeline } = observation
    const violations: Array<Violation> = []
    const seen = new Map<string, Sending>()
    const texts = new Map<string, string>()
    const replaced = new Set<string>()
    for (const { event } of timeline.flatMap((entry) => (entry._tag === "Published" ? [entry] : []))) {
      if (event._tag === "OutputRefused") replaced.add(event.call.callId)
    }
    for (const sending of sendings(observation)) {
      const { callId, connection, moment, output, wasRefused } = sending
      if (wasRefused) continue
      const key = `${connection} ${callId}`
      if (seen.has(key))
        violations.push({ message: `${callId} was answered twice on connection ${connection}.`, moment })
      seen.set(key, sending)
      const before = texts.get(callId)
      if (before !== undefined && before !== output && !replaced.has(callId)) {
        violations.push({ message: `${callId} was answered with another text than before: ${output}`, moment })
      }
      texts.set(callId, output)
    }
    for (const [moment, entry] of timeline.entries()) {
      if (entry._tag !== "Published") continue
      const { event } = entry
      const published = event._tag === "ToolDeferred" || isEnd(event) ? event : undefined
      if (published === undefined || published.output === undefined) continue
      const { call, output } = published
      const onWire = texts.get(call.callId)
      const isResult = isEnd(event) && timeline.some((other) => isDeferral(other, call.callId))
      if (isResult || onWire === undefined || replaced.has(call.callId) || onWire === output) continue
      violations.push({ message: `${nameOf(call)}: the model reads ${onWire}, and published is ${output}`, moment })
    }
    const last = connections.at(-1)
    if (survived && last !== undefined) {
      // What took the place of a refused output was refused as well: this server wants none.
      const refusals = sendings(observation).filter(({ wasRefused }) => wasRefused)
      for (const { callId, count, name } of answersOf(last.conversation)) {
        if (count === 0 && refusals.filter((sending) => sending.callId === callId).length > 1) continue
        if (count !== 1) violations.push({ message: `${callId} (${name}) has ${count} outputs at the end.` })
      }
    }
    return violations
  }
)

const isDeferral = (entry: Observation["timeline"][number], callId: string): boolean =>
  entry._tag === "Published" && entry.event._tag === "ToolDeferred" && entry.event.call.callId === callId

export const publication: Law = law(
  "Publication",
  "The end of each call is published exactly once, and a failure after its output was sent or kept for another connection.",
  (observation) => {
    const { connections, survived, timeline } = observation
    const violations: Array<Violation> = []
    const ends = new Set<string>()
    const begun = new Map<string, CallInfo>()
    /** By call and response: an id may be used again. */
    const over = new Map<string, string>()
    const kept = new Set<string>()
    const sent = new Set<string>()
    for (const [moment, entry] of timeline.entries()) {
      if (entry._tag === "Sent") {
        const output = outputOf(entry.event)
        if (output !== undefined) sent.add(output.callId)
      }
      if (entry._tag !== "Published") continue
      const { event } = entry
      if (event._tag === "ToolStarted" || event._tag === "ToolApprovalRequested")
        begun.set(event.call.callId, event.call)
      if (event._tag === "ToolCallAbandoned" || (isEnd(event) && !isDuplicate(event))) {
        const key = JSON.stringify([event.call.callId, event.call.responseId])
        const before = over.get(key) ?? event._tag
        if ((before === "ToolCallAbandoned") !== (event._tag === "ToolCallAbandoned")) {
          violations.push({ message: `${nameOf(event.call)} has run, and was abandoned.`, moment })
        }
        over.set(key, event._tag)
      }
      if (event._tag === "OutputDeferred") kept.add(event.call.callId)
      if (!isEnd(event) || isDuplicate(event)) continue
      const { call, output } = event
      if (ends.has(call.callId)) violations.push({ message: `${nameOf(call)} ended twice.`, moment })
      ends.add(call.callId)
      if (output !== undefined && !sent.has(call.callId) && !kept.has(call.callId)) {
        violations.push({ message: `${nameOf(call)} ended before its output was sent.`, moment })
      }
    }
    for (const [callId, call] of begun) {
      if (!ends.has(callId)) violations.push({ message: `${nameOf(call)} began, and its end was never published.` })
    }
    const last = connections.at(-1)
    if (survived && last !== undefined) {
      for (const { callId, name } of answersOf(last.conversation)) {
        if (!ends.has(callId)) violations.push({ message: `${callId} (${name}): its end was never published.` })
      }
    }
    return violations
  }
)

export { isDuplicate, isEnd }
