import { requestOf } from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { isDuplicate, isEnd } from "./callLaws.js"
import { type Law, law, type Violation } from "./Law.js"
import { createdItem, type Moment, type Observation, outputOf } from "./Observation.js"

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The id of the response that the server began or ended on its default conversation. */
const inBand = (moment: Moment, type: string): string | undefined => {
  if (moment._tag !== "Answered" || moment.event["type"] !== type) return undefined
  const response = moment.event["response"]
  if (!isRecord(response) || typeof response["conversation_id"] !== "string") return undefined
  return typeof response["id"] === "string" ? response["id"] : undefined
}

const isRequest = (event: ClientEvent) => event.type === "response.create" && event.response?.conversation !== "none"

/** The server may refuse the request that it answers with a response of its own. */
const errorAbout = (moment: Moment): unknown => {
  if (moment._tag !== "Answered" || moment.event["type"] !== "error") return undefined
  const error = moment.event["error"]
  return isRecord(error) ? error["event_id"] : undefined
}

/** No session gives up a request sooner. Milliseconds. */
const shortestPatience = 1_000

export const exclusivity: Law = law(
  "Exclusivity",
  "At most one request for a response is outstanding on the default conversation, and none is sent while a response is known to be active there.",
  ({ timeline }) => {
    const violations: Array<Violation> = []
    const ofConversation = new Set(timeline.flatMap((moment) => inBand(moment, "response.created") ?? []))
    const active = new Set<string>()
    let outstanding: string | undefined
    let since = 0
    /** A response of the server's own may make a request needless: then it is given up without a word when it is late. */
    let isCovered = false
    for (const [index, moment] of timeline.entries()) {
      if (moment._tag === "Sent" && isRequest(moment.event)) {
        if (isCovered && moment.atMs - since >= shortestPatience) outstanding = undefined
        if (outstanding !== undefined) {
          violations.push({ message: `A response was requested while ${outstanding} was outstanding.`, moment: index })
        }
        for (const responseId of active) {
          violations.push({ message: `A response was requested while ${responseId} was active.`, moment: index })
        }
        outstanding = moment.event.event_id
        since = moment.atMs
        isCovered = false
      }
      if (outstanding !== undefined && errorAbout(moment) === outstanding) outstanding = undefined
      if (moment._tag !== "Published") continue
      const { event } = moment
      const isAnswered = (requestId: string | undefined) =>
        outstanding !== undefined && requestId !== undefined && requestOf(outstanding) === requestOf(requestId)
      switch (event._tag) {
        case "ResponseStarted":
          if (ofConversation.has(event.responseId)) active.add(event.responseId)
          if (isAnswered(event.requestId)) outstanding = undefined
          if (event.requestId === undefined) isCovered = true
          break
        case "ResponseRefused":
        case "ResponseStalled":
        case "ResponseLost":
          if (isAnswered(event.requestId)) outstanding = undefined
          if ("responseId" in event) active.delete(event.responseId ?? "")
          break
        case "ResponseDone":
          active.delete(event.responseId)
          break
        case "ConnectionLost":
        case "Reconnected":
          active.clear()
          outstanding = undefined
          break
      }
    }
    return violations
  }
)

/** What may keep an answer back that was owed: somebody said so. */
const releases = (moment: Moment, observation: Observation): boolean => {
  if (moment._tag === "Step") {
    const action = observation.program.steps[moment.index]?.action
    return action?._tag === "Interrupts"
  }
  if (moment._tag !== "Published") return false
  const { event } = moment
  return (
    event._tag === "SpeechStarted" ||
    event._tag === "GuardrailTripped" ||
    event._tag === "ResponseLost" ||
    event._tag === "ResponseRefused"
  )
}

/** Calls whose tools, or whose failures, ask for no reply. */
const silentCalls = (observation: Observation): ReadonlySet<string> => {
  const silent = new Set<string>()
  for (const moment of observation.timeline) {
    if (moment._tag !== "Published" || !isEnd(moment.event) || isDuplicate(moment.event)) continue
    const { event } = moment
    const policy = observation.policyOf(event.call.agent, event.call.tool)
    if (policy?.reply === "silent") silent.add(event.call.callId)
    if (event._tag !== "ToolFailed") continue
    if (policy !== undefined && policy.onFailure !== "respond") silent.add(event.call.callId)
    if (event.error._tag === "ToolOverloaded" && event.error.per === "turn") silent.add(event.call.callId)
  }
  return silent
}

/** What the model must answer once it has it: the ids of items, with what they are. */
const owed = (observation: Observation): ReadonlyMap<string, string> => {
  const silent = silentCalls(observation)
  const items = new Map<string, string>()
  const told = new Set<string>()
  for (const moment of observation.timeline) {
    if (moment._tag !== "Sent") continue
    const { event } = moment
    const item = createdItem(event)
    if (item?.id === undefined) continue
    const output = outputOf(event)
    // What another connection is told of the past is no news.
    const key = output?.callId ?? item.id
    if (told.has(key)) continue
    told.add(key)
    if (output !== undefined) {
      if (!silent.has(output.callId)) items.set(item.id, `the output of ${output.callId}`)
    } else if (item.type === "message" && item.role === "user") {
      items.set(item.id, `what the user wrote (${item.id})`)
    }
  }
  return items
}

/** What a step asks for is done later, maybe after the next steps: so many of them. */
const stepsInFlight = 3

const stepsBefore = (timeline: ReadonlyArray<Moment>, index: number): number | undefined =>
  Array.from(timeline.slice(0, index).entries())
    .filter(([, { _tag }]) => _tag === "Step")
    .at(-stepsInFlight)?.[0]

export const liveness: Law = law(
  "Liveness",
  "Once the model has what it is to answer, it is asked to, and asked again, or the loss is published.",
  (observation) => {
    const { survived, timeline } = observation
    if (!survived) return []
    const debts = owed(observation)
    const violations: Array<Violation> = []
    /** Responses that came to an end of their own, and were not cut off with their connection. */
    const finished = new Set(timeline.flatMap((moment) => inBand(moment, "response.done") ?? []))
    for (const [itemId, what] of debts) {
      const accepted = timeline.findIndex(
        (moment) =>
          moment._tag === "Answered" &&
          moment.event["type"] === "conversation.item.added" &&
          isRecord(moment.event["item"]) &&
          moment.event["item"]["id"] === itemId
      )
      if (accepted < 0) continue
      const isAnswered = timeline.some((moment, index) => {
        if (moment._tag === "Step")
          return index >= (stepsBefore(timeline, accepted) ?? 0) && releases(moment, observation)
        if (index < accepted) return false
        const responseId = inBand(moment, "response.created")
        return (responseId !== undefined && finished.has(responseId)) || releases(moment, observation)
      })
      if (!isAnswered) violations.push({ message: `Nobody answered ${what}.`, moment: accepted })
    }
    return violations
  }
)
