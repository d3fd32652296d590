import { requestOf } from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionEvent } from "../SessionEvent.js"
import { isDuplicate, isEnd } from "./callLaws.js"
import { both, type Law, law, type Violation } from "./Law.js"
import { createdItem, isRecord, type Moment, type Observation, outputOf, refusedEvent } from "./Observation.js"

/** The id of the response that the server began or ended on its default conversation. */
const inBand = (moment: Moment, type: string): string | undefined => {
  if (moment._tag !== "Answered" || moment.event["type"] !== type) return undefined
  const response = moment.event["response"]
  if (!isRecord(response) || typeof response["conversation_id"] !== "string") return undefined
  return typeof response["id"] === "string" ? response["id"] : undefined
}

const isRequest = (event: ClientEvent) => event.type === "response.create" && event.response?.conversation !== "none"

/** No session gives up a request sooner. Milliseconds. */
const shortestPatience = 1_000

export const exclusivity: Law = both(
  "Exclusivity",
  "At most one request for a response is outstanding on the default conversation, and none is sent while a response is known to be active there.",
  () => {
    const ofConversation = new Set<string>()
    const active = new Set<string>()
    let outstanding: string | undefined
    let since = 0
    /** A response of the server's own may make a request needless: then it is given up without a word when it is late. */
    let isCovered = false

    const requested = (eventId: string | undefined, atMs: number): ReadonlyArray<string> => {
      if (isCovered && atMs - since >= shortestPatience) outstanding = undefined
      const violations = Array.from(active, (responseId) => `A response was requested while ${responseId} was active.`)
      if (outstanding !== undefined) {
        violations.push(`A response was requested while ${outstanding} was outstanding.`)
      }
      outstanding = eventId
      since = atMs
      isCovered = false
      return violations
    }

    const published = (event: SessionEvent): void => {
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

    return (moment) => {
      if (moment._tag === "Sent" && isRequest(moment.event)) return requested(moment.event.event_id, moment.atMs)
      if (moment._tag === "Published") published(moment.event)
      if (moment._tag === "Answered") {
        const created = inBand(moment, "response.created")
        if (created !== undefined) ofConversation.add(created)
        if (outstanding !== undefined && refusedEvent(moment) === outstanding) outstanding = undefined
      }
      return []
    }
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
  let hasBegun = false
  for (const moment of observation.timeline) {
    if (moment._tag === "Step") hasBegun = true
    if (moment._tag !== "Sent") continue
    const { event } = moment
    const item = createdItem(event)
    if (item?.id === undefined) continue
    const output = outputOf(event)
    // What another connection is told of the past is no news, and neither is what the session begins with.
    const key = output?.callId ?? item.id
    if (told.has(key)) continue
    told.add(key)
    if (output !== undefined) {
      if (!silent.has(output.callId) && hasBegun) items.set(item.id, `the output of ${output.callId}`)
    } else if (item.type === "message" && item.role === "user" && hasBegun) {
      items.set(item.id, `what the user wrote (${item.id})`)
    }
  }
  return items
}

/** What a step asks for is done later, maybe after the next steps: so many of them. */
const stepsInFlight = 3

export const liveness: Law = law(
  "Liveness",
  "Once the model has what it is to answer, it is asked to, and asked again, or the loss is published.",
  (observation) => {
    const { survived, timeline } = observation
    if (!survived) return []
    const debts = owed(observation)
    const accepted = new Map<string, number>()
    /** Responses that came to an end of their own, and were not cut off with their connection. */
    const finished = new Set<string>()
    for (const [index, moment] of timeline.entries()) {
      const done = inBand(moment, "response.done")
      if (done !== undefined) finished.add(done)
      if (moment._tag !== "Answered" || moment.event["type"] !== "conversation.item.added") continue
      const { item } = moment.event
      const id = isRecord(item) ? item["id"] : undefined
      if (typeof id === "string" && debts.has(id) && !accepted.has(id)) accepted.set(id, index)
    }
    /** The last places of the timeline where a response began that ended, or where one was held back. */
    let lastAnswer = -1
    let lastStepAnswer = -1
    const steps: Array<number> = []
    for (const [index, moment] of timeline.entries()) {
      const created = inBand(moment, "response.created")
      if ((created !== undefined && finished.has(created)) || releases(moment, observation)) {
        if (moment._tag === "Step") lastStepAnswer = index
        else lastAnswer = index
      }
      if (moment._tag === "Step") steps.push(index)
    }
    const violations: Array<Violation> = []
    for (const [itemId, moment] of accepted) {
      const before = steps.filter((index) => index < moment).at(-stepsInFlight) ?? 0
      if (lastAnswer >= moment || lastStepAnswer >= before) continue
      violations.push({ message: `Nobody answered ${debts.get(itemId) ?? itemId}.`, moment })
    }
    return violations
  }
)
