import { connectionLost } from "../event/ResponseEvents.js"
import type { ResponseEnd } from "../machine/Replies.js"
import * as Scheduler from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { Response, ResponseParams } from "../protocol/Response.js"
import { namedIn } from "../protocol/RetryAfter.js"
import type { RateLimitsUpdated, ServerError } from "../protocol/ServerEvent.js"
import { mayPass } from "../protocol/Severity.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { Spans } from "./Spans.js"
import * as Usage from "./Usage.js"

/** The pair in a response's metadata by which the session knows its own. */
export const requestKey = "effect_realtime_request"

/** Carries the scheduler's commands to the wire, and what the server says of responses to the scheduler. */
export interface Responses {
  /** The model is to go on once it has seen these items of ours. */
  readonly ask: (awaiting: ReadonlyArray<string>) => void
  /** A response with parameters of its own. Returns the id of the request. */
  readonly request: (params: ResponseParams) => string
  /** How many requests of that kind wait for their turn, or beside the conversation for an answer. */
  readonly waiting: () => number
  readonly itemAcknowledged: (itemId: string) => void
  readonly created: (response: Response) => void
  /** The server said something of this response, which so has begun, whether it was announced or not. */
  readonly progressed: (responseId: string) => void
  readonly done: (response: Response) => void
  /** Whether the refused event was a request for a response. */
  readonly refused: (eventId: string, error: ServerError) => boolean
  /** When limits that are used up are renewed. */
  readonly limited: (limits: RateLimitsUpdated["rate_limits"]) => void
  readonly speechStarted: () => void
  readonly speechStopped: () => void
  /** The server makes a turn of the silence of a user who says nothing. */
  readonly idleTimedOut: () => void
  readonly speechCleared: () => void
  /** What the user said is an item of the conversation. */
  readonly turnCommitted: () => void
  readonly interrupt: () => void
  /** Stops what is spoken beside the conversation, or is about to be. */
  readonly interruptBeside: () => void
  /** Stops this one response, in whichever conversation. Whether that cut the session's conversation short. */
  readonly cancel: (responseId: string) => boolean
  /** Whether this response is beside the conversation: its items are in none. */
  readonly isOutOfBand: (responseId: string) => boolean
  /** The responses of the conversation that are active. */
  readonly active: () => ReadonlyArray<string>
  /** Those of them that somebody waits for. */
  readonly awaited: () => ReadonlyArray<string>
  /** What was active or outstanding has ended with the connection; what is owed is kept, but for what is `carriedOn`. */
  readonly disconnected: (carriedOn: ReadonlySet<string>) => void
  /** The connection is gone, and the conversation is not: the server goes on with what it has begun. */
  readonly left: () => void
  /** There is another connection: what is owed is asked for. */
  readonly reconnected: () => void
  /** Nothing is active, outstanding or waiting, and the user is not in a turn that the server will answer. */
  readonly isIdle: () => boolean
  readonly usage: () => Usage.Usage
  readonly timePassed: () => void
  readonly deadline: () => number | undefined
}

export interface Environment {
  readonly now: () => number
  readonly newId: (prefix: string) => string
  readonly send: (event: ClientEvent) => void
  readonly publish: (event: SessionEvent<never>) => void
  readonly spans: Spans
  /** Of the session's own requests; absent where that of the settings holds. */
  readonly toolChoice: () => "auto" | "none" | undefined
  readonly began: (responseId: string, outOfBand: boolean) => void
  readonly cancelled: (responseId: string) => void
  /** The response will make no more calls. */
  readonly ended: (responseId: string, end: ResponseEnd) => void
  /** What a response was to answer, which said something perhaps, is asked for again. */
  readonly lost: () => void
  /** Of these responses, which were cut off, those that go on once calls of theirs have their outputs. */
  readonly carryOn: (responseIds: Iterable<string>) => ReadonlySet<string>
}

type ErrorOfResponse = NonNullable<NonNullable<Response["status_details"]>["error"]>

export const make = (options: Scheduler.Options, env: Environment): Responses => {
  const scheduler = Scheduler.make(options)
  let refusal: ServerError | undefined
  let usage = Usage.none
  /** When the limits are renewed that were used up at the beginning of the latest response. */
  let renewedAt = 0

  const step = (input: Scheduler.Input): void => {
    for (const command of scheduler.step(input, env.now())) carryOut(command)
  }

  const carryOut = (command: Scheduler.Command): void => {
    switch (command._tag) {
      case "Create": {
        const { eventId } = command
        const params = command.params ?? replyParams(env.toolChoice())
        const metadata = { ...params?.metadata, [requestKey]: eventId }
        env.send({ type: "response.create", event_id: eventId, response: { ...params, metadata } })
        break
      }
      case "Cancel":
        env.cancelled(command.responseId)
        env.send({ type: "response.cancel", event_id: env.newId("cnl"), response_id: command.responseId })
        break
      case "Stalled":
      case "Lost": {
        const { requestId, responseId } = command
        env.publish({ _tag: command._tag === "Stalled" ? "ResponseStalled" : "ResponseLost", requestId, responseId })
        if (responseId !== undefined) env.spans.responseEnded(responseId, { status: "stalled" })
        break
      }
      case "RequestFailed":
        env.publish({
          _tag: "ResponseRefused",
          requestId: command.requestId,
          code: refusal?.code ?? undefined,
          message: refusal?.message ?? "The server refused the request for a response.",
          retryInMs: command.retryIn
        })
        break
      case "Collided":
        // Not a failure: the request is kept, and sent again when the other response is over.
        break
    }
  }

  /** What fails for a passing reason is asked for again; what somebody stopped, nobody waits for. */
  const endOf = (responseId: string, { status, status_details: details }: Response): ResponseEnd => {
    if ((status ?? "completed") === "completed") return "Whole"
    const isAskedAgain = status === "failed" && mayPass(details?.error ?? {})
    return isAskedAgain || status === "cancelled" || !scheduler.awaited().includes(responseId) ? "Stopped" : "CutShort"
  }

  const passing = (error: Partial<ErrorOfResponse>): Scheduler.Passing => {
    const isLimit = (error.code ?? error.type ?? "").includes("rate_limit")
    const untilRenewed = renewedAt - env.now()
    return { after: namedIn(error.message ?? "") ?? (isLimit && untilRenewed > 0 ? untilRenewed : undefined) }
  }

  /** Only of those that somebody waits for. */
  const carryOn = (responseIds: ReadonlyArray<string>): ReadonlySet<string> => {
    const awaited = scheduler.awaited()
    return env.carryOn(responseIds.filter((responseId) => awaited.includes(responseId)))
  }

  const began = (
    response: Omit<Extract<Scheduler.Input, { _tag: "ResponseCreated" }>, "_tag">,
    metadata: Response["metadata"]
  ): void => {
    const { eventId, responseId } = response
    if (scheduler.isLive(responseId) || scheduler.isPast(responseId)) return
    const commands = scheduler.step({ _tag: "ResponseCreated", ...response }, env.now())
    const requestId = eventId === undefined ? undefined : Scheduler.requestOf(eventId)
    const outOfBand = scheduler.isOutOfBand(responseId)
    env.began(responseId, outOfBand)
    env.spans.responseStarted(responseId, requestId)
    env.publish({ _tag: "ResponseStarted", responseId, requestId, outOfBand, metadata: ownMetadata(metadata) })
    for (const command of commands) carryOut(command)
  }

  /** A response as the server describes it. Without metadata there is one clue to whose it is: what it has to answer. */
  const described = (responseId: string, { conversation_id, metadata }: Response): void => {
    if (metadata === undefined) presumed(responseId, conversation_id === null)
    else {
      const eventId = metadata?.[requestKey]
      began({ responseId, eventId, outOfBand: conversation_id === null, presumed: false }, metadata)
    }
  }

  const presumed = (responseId: string, isBeside: boolean): void => {
    const { eventId, outOfBand } = scheduler.presumed()
    began({ responseId, eventId, outOfBand: outOfBand || isBeside, presumed: true }, undefined)
  }

  const lose = (carriedOn: ReadonlySet<string>, livesOn: boolean): void => {
    for (const responseId of scheduler.live()) {
      env.spans.responseEnded(responseId, { status: "incomplete", reason: connectionLost })
      env.publish({
        _tag: "ResponseDone",
        responseId,
        requestId: undefined,
        outOfBand: scheduler.isOutOfBand(responseId),
        status: "incomplete",
        reason: connectionLost,
        usage: undefined,
        metadata: undefined
      })
      env.ended(responseId, "Stopped")
    }
    step({ _tag: "ConnectionLost", id: env.newId("req"), carriedOn, livesOn })
  }

  return {
    ask: (awaiting) => step({ _tag: "Asked", id: env.newId("req"), awaiting }),
    waiting: scheduler.waiting,
    request: (params) => {
      const id = env.newId("req")
      step({ _tag: "AskedExplicitly", id, params, outOfBand: params.conversation === "none" })
      return id
    },
    itemAcknowledged: (itemId) => step({ _tag: "ItemAcknowledged", itemId }),
    created: (response) => {
      if (typeof response.id === "string") described(response.id, response)
    },
    progressed: (responseId) => {
      if (scheduler.isLive(responseId)) step({ _tag: "ResponseProgressed", responseId })
      // Its calls must not wait for an end that nobody watches for.
      else if (scheduler.isPast(responseId)) env.ended(responseId, "Whole")
      else presumed(responseId, false)
    },
    done: (response) => {
      if (typeof response.id === "string") {
        if (scheduler.hasEnded(response.id)) return
        described(response.id, response)
      }
      const responseId = scheduler.endedBy(response.id ?? undefined)
      const status = response.status ?? "completed"
      const error = response.status_details?.error ?? undefined
      const reason = response.status_details?.reason ?? error?.code ?? error?.type ?? undefined
      const failed = status === "failed" && mayPass(error ?? {}) ? passing(error ?? {}) : undefined
      const eventId = response.metadata?.[requestKey]
      env.spans.responseEnded(responseId, { status, reason })
      if (response.usage) usage = Usage.add(usage, response.usage)
      env.publish({
        _tag: "ResponseDone",
        responseId: responseId ?? "",
        requestId: eventId == null ? undefined : Scheduler.requestOf(eventId),
        outOfBand: responseId !== undefined && scheduler.isOutOfBand(responseId),
        status,
        reason,
        usage: response.usage ?? undefined,
        metadata: ownMetadata(response.metadata)
      })
      const carriedOn = failed === undefined ? nothing : carryOn(responseId === undefined ? [] : [responseId])
      if (failed !== undefined && scheduler.awaited().includes(responseId ?? "")) env.lost()
      if (responseId !== undefined) env.ended(responseId, endOf(responseId, response))
      const whose = response.metadata === undefined ? undefined : { eventId }
      step({ _tag: "ResponseDone", responseId, whose, failed, carriedOn: carriedOn.has(responseId ?? "") })
    },
    refused: (eventId, error) => {
      const collision = error.code === "conversation_already_has_active_response"
      if (!scheduler.isOutstanding(eventId)) {
        if (!collision || !eventId.startsWith("req_")) return false
        step({ _tag: "Refused", eventId, refusal: { _tag: "Collision" } })
        return true
      }
      refusal = error
      if (collision) step({ _tag: "Refused", eventId, refusal: { _tag: "Collision" } })
      else if (mayPass(error)) step({ _tag: "Refused", eventId, refusal: { _tag: "Passing", ...passing(error) } })
      else step({ _tag: "Refused", eventId, refusal: { _tag: "Final" } })
      return true
    },
    limited: (limits) => {
      renewedAt = 0
      for (const { remaining, reset_seconds } of limits) {
        if (remaining === 0) renewedAt = Math.max(renewedAt, env.now() + (reset_seconds ?? 0) * 1_000)
      }
    },
    speechStarted: () => step({ _tag: "SpeechStarted" }),
    speechStopped: () => step({ _tag: "SpeechStopped" }),
    idleTimedOut: () => step({ _tag: "IdleTimedOut" }),
    speechCleared: () => step({ _tag: "SpeechCleared" }),
    turnCommitted: () => step({ _tag: "TurnCommitted", id: env.newId("req") }),
    interrupt: () => step({ _tag: "Interrupted" }),
    interruptBeside: () => step({ _tag: "BesideInterrupted" }),
    cancel: (responseId) => {
      const isOfConversation = scheduler.active().includes(responseId)
      step({ _tag: "Condemned", responseId })
      return isOfConversation
    },
    left: () => lose(new Set(), true),
    disconnected: (carriedOn) => lose(carriedOn, false),
    reconnected: () => step({ _tag: "Reconnected" }),
    isIdle: scheduler.isIdle,
    isOutOfBand: scheduler.isOutOfBand,
    active: scheduler.active,
    awaited: scheduler.awaited,
    usage: () => usage,
    timePassed: () => {
      // The calls of what is given up hear of it first: what they ask for then, and the next try, are one request.
      const silent = scheduler.silent(env.now())
      const carriedOn = silent.length === 0 ? nothing : carryOn(silent)
      if (scheduler.awaited().some((responseId) => silent.includes(responseId))) env.lost()
      for (const responseId of silent) env.ended(responseId, "Stopped")
      step({ _tag: "TimePassed", carriedOn })
    },
    deadline: scheduler.deadline
  }
}

const replyParams = (tool_choice: "auto" | "none" | undefined): ResponseParams | undefined =>
  tool_choice === undefined ? undefined : { tool_choice }

/** What the application gave, without the pair that is the session's. */
const ownMetadata = (metadata: Response["metadata"]): Readonly<Record<string, string>> | undefined => {
  if (metadata === undefined || metadata === null) return undefined
  const { [requestKey]: _, ...own } = metadata
  return own
}

const nothing: ReadonlySet<string> = new Set()
