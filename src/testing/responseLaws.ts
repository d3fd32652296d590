import { requestOf } from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { mayPass } from "../protocol/Severity.js"
import type { SessionEvent } from "../SessionEvent.js"
import { hostedLeft } from "./beginning.js"
import { isDuplicate, isEnd } from "./callLaws.js"
import { both, type Law, law } from "./Law.js"
import {
  callsCancelled,
  createdItem,
  isRecord,
  type Moment,
  type Observation,
  outputOf,
  refusedEvent,
  responseIdOf,
  turnDetectionOf
} from "./Observation.js"
import * as Withdrawals from "./withdrawals.js"

/** The id of a response that the server began or ended in its default conversation. */
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
    /** A response of the server's own may cover a request: when that is late, it is given up without an event. */
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

/**
 * Events that release an answer that was owed: they say that it will not be requested again. Called with each moment.
 * Lost out-of-band requests, which may never have been sent, were not owed to the conversation.
 */
const makeReleases = ({ conversation }: Observation["traits"]): ((moment: Moment) => boolean) => {
  const ofConversation = new Set<string>()
  const beside = new Set<string>()
  return (moment) => {
    if (moment._tag === "Sent" && moment.event.type === "response.create") {
      const sentIn = isRequest(moment.event) ? ofConversation : beside
      sentIn.add(requestOf(moment.event.event_id ?? ""))
    }
    if (moment._tag !== "Published") return false
    const { event } = moment
    switch (event._tag) {
      case "GuardrailTripped":
        return true
      case "ResponseStalled":
        // A response that the server owes to a spoken turn was not requested before.
        if (event.requestId !== undefined && !beside.has(event.requestId)) ofConversation.add(event.requestId)
        return false
      case "ConnectionLost":
        // A server that keeps the conversation goes on meanwhile: what it does then, nobody hears of.
        return conversation === "server"
      case "ResponseLost":
        return event.requestId === undefined || ofConversation.has(event.requestId)
      case "ResponseRefused":
        return event.retryInMs === undefined && !mayPass({ code: event.code ?? null })
      case "ResponseDone":
        return event.status === "failed" && !mayPass({ code: event.reason ?? null })
      default:
        return false
    }
  }
}

/** A response that ended and counts as an answer: it was complete, or the user interrupted it. */
const answered = (moment: Moment): string | undefined => {
  const responseId = inBand(moment, "response.done")
  if (responseId === undefined || moment._tag !== "Answered" || !isRecord(moment.event["response"])) return undefined
  const { status, status_details: details } = moment.event["response"]
  const wasCutOff = status === "cancelled" && isRecord(details) && details["reason"] !== "turn_detected"
  return status === "failed" || wasCutOff ? undefined : responseId
}

/** Whether the server responds to turns by itself, according to its latest settings. */
const repliesToTurns = (moment: Moment, before: boolean): boolean => {
  if (moment._tag !== "Answered" || !isRecord(moment.event["session"])) return before
  const detection = turnDetectionOf(moment.event["session"])
  return detection !== undefined && detection["create_response"] !== false
}

/** The item of a turn that the session knows to be in the conversation. */
const committed = (moment: Moment): string | undefined => {
  if (moment._tag !== "Published" || moment.event._tag !== "ServerEventReceived") return undefined
  const { event, type } = moment.event
  if (type !== "input_audio_buffer.committed" || !isRecord(event)) return undefined
  return typeof event["item_id"] === "string" ? event["item_id"] : undefined
}

/** Whether the user begins a turn. */
const beginsTurn = (moment: Moment): boolean => {
  if (moment._tag === "Published") return moment.event._tag === "SpeechStarted"
  if (moment._tag !== "Sent") return false
  const item = createdItem(moment.event)
  return moment.event.type === "input_audio_buffer.commit" || (item?.type === "message" && item.role === "user")
}

/** The answers that a guardrail may have stopped with the question. */
const withdrawalsOf = (observation: Observation): Withdrawals.Withdrawals => {
  const withdrawals = Withdrawals.make(observation)
  for (const [index, moment] of observation.timeline.entries()) withdrawals.see(moment, index)
  return withdrawals
}

/** Calls that the model takes back. No event of the protocol says so: a stage that plays such a provider does. */
const takenBack = (moment: Moment): ReadonlyArray<string> => {
  if (moment._tag !== "Answered" || moment.event["type"] !== callsCancelled) return []
  const { call_ids: callIds } = moment.event
  return Array.isArray(callIds) ? callIds.filter((callId) => typeof callId === "string") : []
}

/**
 * Calls whose tools, or whose failures, ask for no reply, calls of answers that may have been withdrawn, and those that
 * the model took back.
 */
const silentCalls = (observation: Observation, withdrawals: Withdrawals.Withdrawals): ReadonlySet<string> => {
  const silent = new Set<string>()
  /**
   * After the first call beyond the limit, the model gives its last reply of the turn; after further ones, it does not.
   */
  let isSpent = false
  for (const moment of observation.timeline) {
    isSpent &&= !beginsTurn(moment)
    // Also where the output was on its way already.
    for (const callId of takenBack(moment)) silent.add(callId)
    if (moment._tag !== "Published" || !isEnd(moment.event) || isDuplicate(moment.event)) continue
    const { event } = moment
    const policy = observation.policyOf(event.call.agent, event.call.tool)
    if (policy?.reply === "silent" || withdrawals.mayBeWithdrawn(event.call.responseId)) silent.add(event.call.callId)
    if (event._tag !== "ToolFailed") continue
    if (policy !== undefined && policy.onFailure !== "respond") silent.add(event.call.callId)
    if (event.error._tag !== "ToolOverloaded" || event.error.per !== "turn") continue
    if (isSpent) silent.add(event.call.callId)
    isSpent = true
  }
  return silent
}

/** Something that the model must answer. */
interface Debt {
  readonly what: string
  /**
   * The position in the timeline of the last step that began with nothing in progress: what came since may be about
   * this.
   */
  readonly since: number
}

/**
 * The out-of-band responses, according to the server at their beginning, or if it leaves that out, at their end; and
 * their items, which may be heard of only after a call in them has ended.
 */
const allBeside = (timeline: ReadonlyArray<Moment>): ReadonlySet<unknown> => {
  const beside = new Set<unknown>()
  for (const moment of timeline) {
    if (moment._tag !== "Answered") continue
    const { item, response, response_id: responseId, type } = moment.event
    if (isRecord(item) && beside.has(responseId)) beside.add(item["id"])
    if (type !== "response.created" && type !== "response.done") continue
    if (isRecord(response) && response["conversation_id"] === null) beside.add(response["id"])
  }
  return beside
}

/** The items of calls of hosted tools that end in the default conversation. */
const hostedEnds = (timeline: ReadonlyArray<Moment>): ((moment: Moment) => string | undefined) => {
  const beside = allBeside(timeline)
  return (moment) => {
    if (moment._tag !== "Answered") return undefined
    const { item_id: itemId, type } = moment.event
    const isEnd = type === "response.mcp_call.completed" || type === "response.mcp_call.failed"
    return isEnd && typeof itemId === "string" && !beside.has(itemId) ? itemId : undefined
  }
}

/** A call of a hosted tool, which belongs to no agent, took too long or was cut off. */
const givesUp = ({ policyOf }: Observation, moment: Moment): boolean => {
  if (moment._tag !== "Published") return false
  const { event } = moment
  const isGivenUp =
    event._tag === "ToolCallAbandoned" || (event._tag === "ToolFailed" && event.error._tag === "ToolTimedOut")
  return isGivenUp && policyOf(event.call.agent, event.call.tool) === undefined
}

/** An item that is now in the conversation; the item of a hosted call is there before the call has run. */
const addedItem = (moment: Moment): string | undefined => {
  if (moment._tag !== "Answered" || moment.event["type"] !== "conversation.item.added") return undefined
  const { item } = moment.event
  return isRecord(item) && item["type"] !== "mcp_call" && typeof item["id"] === "string" ? item["id"] : undefined
}

/** The call of a hosted tool that had ended when the session was resumed. */
const hostedOfBefore = ({ program: { beginning } }: Observation): ReadonlyArray<string> =>
  beginning._tag === "Resumed" && beginning.hosted === "ended" ? hostedLeft(beginning).map(({ id }) => id) : []

/** The debts of a program, by item id. */
const owed = (observation: Observation): ReadonlyMap<string, Debt> => {
  const { program, timeline } = observation
  const withdrawals = withdrawalsOf(observation)
  const silent = silentCalls(observation, withdrawals)
  const hosted = hostedEnds(timeline)
  let hasGivenUp = false
  const debts = new Map<string, Debt>(
    hostedOfBefore(observation).map((id) => [id, { since: 0, what: `the call of a hosted tool that was left (${id})` }])
  )
  const told = new Set<string>()
  /** The turns that turn detection found. */
  const heard = new Set<string>()
  let serverReplies = false
  let since: number | undefined
  /** While the journal is away, what came before a step may be handled after it. */
  let heldUntil = 0
  /**
   * Like `since`, from when the connection was lost: what is written in the meantime is sent on the next one, and may
   * be stopped before.
   */
  let lostSince: number | undefined
  for (const [index, moment] of timeline.entries()) {
    if (moment._tag === "Published" && moment.event._tag === "ConnectionLost") lostSince ??= since
    if (moment._tag === "Published" && moment.event._tag === "Reconnected") lostSince = undefined
    serverReplies = repliesToTurns(moment, serverReplies)
    if (moment._tag === "Published" && moment.event._tag === "SpeechStarted") heard.add(moment.event.itemId ?? "")
    const turn = committed(moment)
    if (turn !== undefined && since !== undefined && serverReplies && heard.has(turn)) {
      debts.set(turn, { since, what: `what the user said (${turn})` })
    }
    if (moment._tag === "Step") {
      const isSettled = program.steps[moment.index - 1]?.thenRuns === "all" && moment.atMs >= heldUntil
      if (since === undefined || isSettled) since = index
      const action = program.steps[moment.index]?.action
      if (action?._tag === "JournalIsAway") heldUntil = Math.max(heldUntil, moment.atMs + action.forMs)
    }
    // The server must answer what the user said aloud. Another server is sent it as a written message.
    const spoken = moment._tag === "Answered" ? moment.event["item_id"] : undefined
    if (typeof spoken === "string") told.add(spoken)
    hasGivenUp ||= givesUp(observation, moment)
    const ended = hosted(moment)
    // The end of a call that was given up is ignored, as with the session's own tools.
    const isOwed = ended !== undefined && !hasGivenUp && !withdrawals.mayBeWithdrawn(withdrawals.madeBy(ended))
    if (isOwed && since !== undefined && !debts.has(ended)) {
      debts.set(ended, { since, what: `the call of a hosted tool that has ended (${ended})` })
    }
    if (moment._tag !== "Sent") continue
    const { event } = moment
    const item = createdItem(event)
    if (item?.id === undefined) continue
    const output = outputOf(event)
    // What another connection is sent of the past is not new, and neither is what the session begins with.
    const key = output?.callId ?? item.id
    if (told.has(key)) continue
    told.add(key)
    if (since === undefined) continue
    if (output !== undefined) {
      if (!silent.has(output.callId)) debts.set(item.id, { since, what: `the output of ${output.callId}` })
    } else if (item.type === "message" && item.role === "user") {
      debts.set(item.id, { since: lostSince ?? since, what: `what the user wrote (${item.id})` })
    }
  }
  return debts
}

export const liveness: Law = law(
  "Liveness",
  "Once the model has something to answer (the user's speech or message, or the output of a call), it answers; if it does not, it is asked again, or the loss is published.",
  (observation) => {
    const { program, survived, timeline } = observation
    if (!survived) return []
    const debts = owed(observation)
    const hosted = hostedEnds(timeline)
    const accepted = new Map(hostedOfBefore(observation).map((id) => [id, 0]))
    const answers = new Set<string>()
    for (const [index, moment] of timeline.entries()) {
      const answer = answered(moment)
      if (answer !== undefined) answers.add(answer)
      const id = hosted(moment) ?? addedItem(moment)
      if (id !== undefined && debts.has(id) && !accepted.has(id)) accepted.set(id, index)
    }
    let lastAnswer = -1
    let lastInterruption = -1
    const begun = new Set<string>()
    const releases = makeReleases(observation.traits)
    for (const [index, moment] of timeline.entries()) {
      const responseId = moment._tag === "Answered" ? responseIdOf(moment.event) : undefined
      if (responseId !== undefined && !begun.has(responseId)) {
        begun.add(responseId)
        if (answers.has(responseId)) lastAnswer = index
      }
      if (releases(moment)) lastAnswer = index
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
