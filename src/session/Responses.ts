import type { ResponseEnd } from "../machine/Replies.js"
import * as Scheduler from "../machine/ResponseScheduler.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { Response, ResponseParams } from "../protocol/Response.js"
import type { ServerError } from "../protocol/ServerEvent.js"
import { classifyServerError } from "../protocol/Severity.js"
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
  readonly progressed: (responseId: string) => void
  readonly done: (response: Response) => void
  /** Whether the refused event was a request for a response. */
  readonly refused: (eventId: string, error: ServerError) => boolean
  readonly speechStarted: () => void
  readonly speechStopped: () => void
  readonly interrupt: () => void
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
}

export const make = (options: Scheduler.Options, env: Environment): Responses => {
  const scheduler = Scheduler.make(options)
  let refusal: ServerError | undefined
  let usage = Usage.none

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
        if (responseId === undefined) break
        env.spans.responseEnded(responseId, { status: "stalled" })
        env.ended(responseId, "Stopped")
        break
      }
      case "RequestFailed":
        env.publish({
          _tag: "ResponseRefused",
          requestId: command.requestId,
          code: refusal?.code ?? undefined,
          message: refusal?.message ?? "The server refused the request for a response."
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
    const isAskedAgain = status === "failed" && isRetryable(details?.error ?? undefined)
    return isAskedAgain || status === "cancelled" || !scheduler.awaited().includes(responseId) ? "Stopped" : "CutShort"
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
      if (typeof response.id !== "string") return
      const responseId = response.id
      // A server that does not give metadata back at all leaves one clue: something of ours is outstanding.
      const { metadata } = response
      const eventId = metadata === undefined ? scheduler.outstanding() : metadata?.[requestKey]
      const requestId = eventId === undefined ? undefined : Scheduler.requestOf(eventId)
      const outOfBand = response.conversation_id === null
      env.began(responseId, outOfBand)
      env.spans.responseStarted(responseId, requestId)
      env.publish({ _tag: "ResponseStarted", responseId, requestId })
      step({ _tag: "ResponseCreated", responseId, eventId, outOfBand })
    },
    progressed: (responseId) => {
      // Nothing watches over a response that was never announced, or is over: its calls must not wait for its end.
      if (!scheduler.isLive(responseId)) env.ended(responseId, "Whole")
      step({ _tag: "ResponseProgressed", responseId })
    },
    done: (response) => {
      const responseId = scheduler.endedBy(response.id ?? undefined)
      const status = response.status ?? "completed"
      const error = response.status_details?.error ?? undefined
      const reason = response.status_details?.reason ?? error?.code ?? error?.type ?? undefined
      env.spans.responseEnded(responseId, { status, reason })
      if (response.usage) usage = Usage.add(usage, response.usage)
      env.publish({
        _tag: "ResponseDone",
        responseId: responseId ?? "",
        status,
        reason,
        usage: response.usage ?? undefined
      })
      if (responseId !== undefined) env.ended(responseId, endOf(responseId, response))
      step({ _tag: "ResponseDone", responseId, retryable: status === "failed" && isRetryable(error) })
    },
    refused: (eventId, error) => {
      const collision = error.code === "conversation_already_has_active_response"
      if (!scheduler.isOutstanding(eventId)) return collision && eventId.startsWith("req_")
      refusal = error
      step({ _tag: "Refused", eventId, collision })
      return true
    },
    speechStarted: () => step({ _tag: "SpeechStarted" }),
    speechStopped: () => step({ _tag: "SpeechStopped" }),
    interrupt: () => step({ _tag: "Interrupted" }),
    cancel: (responseId) => {
      const isOfConversation = scheduler.active().includes(responseId)
      step({ _tag: "Condemned", responseId })
      return isOfConversation
    },
    disconnected: (carriedOn) => {
      for (const responseId of scheduler.live()) {
        env.spans.responseEnded(responseId, { status: "incomplete", reason: connectionLost })
        env.publish({
          _tag: "ResponseDone",
          responseId,
          status: "incomplete",
          reason: connectionLost,
          usage: undefined
        })
        env.ended(responseId, "Stopped")
      }
      step({ _tag: "ConnectionLost", id: env.newId("req"), carriedOn })
    },
    reconnected: () => step({ _tag: "Reconnected" }),
    isIdle: scheduler.isIdle,
    isOutOfBand: scheduler.isOutOfBand,
    active: scheduler.active,
    awaited: scheduler.awaited,
    usage: () => usage,
    timePassed: () => step({ _tag: "TimePassed" }),
    deadline: scheduler.deadline
  }
}

const replyParams = (tool_choice: "auto" | "none" | undefined): ResponseParams | undefined =>
  tool_choice === undefined ? undefined : { tool_choice }

/** Why a response ended that nobody cut off. */
const connectionLost = "connection_lost"

/** A failure of the server, or of the moment, as opposed to one of the request. */
const isRetryable = (error: { readonly code?: string | null; readonly type?: string | null } | undefined): boolean => {
  const code = error?.code ?? error?.type ?? "server_error"
  return classifyServerError(error ?? {}) !== "fatal" && (code === "server_error" || code.includes("rate_limit"))
}
