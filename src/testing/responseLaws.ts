import { requestOf } from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionEvent } from "../SessionEvent.js"
import { isDuplicate, isEnd } from "./callLaws.js"
import { both, type Law, law } from "./Law.js"
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
const releases = (moment: Moment): boolean =>
  moment._tag === "Published" &&
  (moment.event._tag === "GuardrailTripped" ||
    moment.event._tag === "ResponseLost" ||
    moment.event._tag === "ResponseRefused")

/** The user says something. */
const beginsTurn = (moment: Moment): boolean => {
  if (moment._tag === "Published") return moment.event._tag === "SpeechStarted"
  if (moment._tag !== "Sent") return false
  const item = createdItem(moment.event)
  return moment.event.type === "input_audio_buffer.commit" || (item?.type === "message" && item.role === "user")
}

/** Calls whose tools, or whose failures, ask for no reply. */
const silentCalls = (observation: Observation): ReadonlySet<string> => {
  const silent = new Set<string>()
  /** The first call too many is answered with the last word of its turn, and no further one is. */
  let isSpent = false
  for (const moment of observation.timeline) {
    isSpent &&= !beginsTurn(moment)
    if (moment._tag !== "Published" || !isEnd(moment.event) || isDuplicate(moment.event)) continue
    const { event } = moment
    const policy = observation.policyOf(event.call.agent, event.call.tool)
    if (policy?.reply === "silent") silent.add(event.call.callId)
    if (event._tag !== "ToolFailed") continue
    if (policy !== undefined && policy.onFailure !== "respond") silent.add(event.call.callId)
    if (event.error._tag !== "ToolOverloaded" || event.error.per !== "turn") continue
    if (isSpent) silent.add(event.call.callId)
    isSpent = true
  }
  return silent
}

/** What the model must answer once it has it. */
interface Debt {
  readonly what: string
  /** Where the timeline was when the last step began that found nothing under way: what came since may be about this. */
  readonly since: number
}

/** The debts of a program by the ids of their items. */
const owed = (observation: Observation): ReadonlyMap<string, Debt> => {
  const { program, timeline } = observation
  const silent = silentCalls(observation)
  const debts = new Map<string, Debt>()
  const told = new Set<string>()
  let since: number | undefined
  for (const [index, moment] of timeline.entries()) {
    if (moment._tag === "Step" && (since === undefined || program.steps[moment.index - 1]?.thenRuns === "all")) {
      since = index
    }
    // What the user said aloud is the server's to answer: to another one, it is told as something that was written.
    const spoken = moment._tag === "Answered" ? moment.event["item_id"] : undefined
    if (typeof spoken === "string") told.add(spoken)
    if (moment._tag !== "Sent") continue
    const { event } = moment
    const item = createdItem(event)
    if (item?.id === undefined) continue
    const output = outputOf(event)
    // What another connection is told of the past is no news, and neither is what the session begins with.
    const key = output?.callId ?? item.id
    if (told.has(key)) continue
    told.add(key)
    if (since === undefined) continue
    if (output !== undefined) {
      if (!silent.has(output.callId)) debts.set(item.id, { since, what: `the output of ${output.callId}` })
    } else if (item.type === "message" && item.role === "user") {
      debts.set(item.id, { since, what: `what the user wrote (${item.id})` })
    }
  }
  return debts
}

export const liveness: Law = law(
  "Liveness",
  "Once the model has what it is to answer, it is asked to, and asked again, or the loss is published.",
  (observation) => {
    const { program, survived, timeline } = observation
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
    let lastAnswer = -1
    let lastInterruption = -1
    for (const [index, moment] of timeline.entries()) {
      const created = inBand(moment, "response.created")
      if ((created !== undefined && finished.has(created)) || releases(moment)) lastAnswer = index
      if (moment._tag === "Step" && program.steps[moment.index]?.action._tag === "Interrupts") lastInterruption = index
    }
    return Array.from(accepted).flatMap(([itemId, moment]) => {
      const debt = debts.get(itemId)
      return debt === undefined || lastAnswer >= moment || lastInterruption >= debt.since
        ? []
        : [{ message: `Nobody answered ${debt.what}.`, moment }]
    })
  }
)
