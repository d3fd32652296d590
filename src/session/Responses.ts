import { connectionLost } from "../event/connectionLost.js"
import type { ResponseEnd } from "../machine/Replies.js"
import * as Scheduler from "../machine/ResponseScheduler.js"
import type { Response, ResponseParams } from "../protocol/Response.js"
import { namedIn } from "../protocol/RetryAfter.js"
import type { RateLimitsUpdated, ServerError } from "../protocol/ServerEvent.js"
import { mayPass } from "../protocol/Severity.js"
import type { Parts } from "./Parts.js"
import { ownMetadata, requestKey } from "./requestKey.js"
import * as Usage from "./Usage.js"

type ErrorOfResponse = NonNullable<NonNullable<Response["status_details"]>["error"]>

/** Sends the scheduler's commands to the server, and tells the scheduler what the server says about responses. */
export class Responses {
  readonly #session: Parts
  readonly #scheduler: Scheduler.ResponseScheduler
  #refusal: ServerError | undefined
  #usage = Usage.none
  /** When the limits that were used up at the beginning of the latest response are renewed. */
  #renewedAt = 0

  constructor(session: Parts) {
    this.#session = session
    this.#scheduler = new Scheduler.ResponseScheduler({
      ...session.options.scheduler,
      serverReplies: () => session.configuration.serverReplies(),
      isHeld: () => session.hostedImports?.isPending() === true,
      speaks: () => session.configuration.speaks()
    })
  }

  /** Asks the model to go on once the server has these items. */
  ask(awaiting: ReadonlyArray<string>, cause?: Partial<Scheduler.Cause>): void {
    const params = this.#session.answers.paramsOf(cause?.responseIds ?? [])
    if (params !== undefined) {
      const id = this.#session.newId("req")
      const all = { ...unforced(params), ...replyParams(this.#toolChoice()) }
      this.#step({ _tag: "AskedExplicitly", id, params: all, outOfBand: false, cause: cause ?? {} })
      return
    }
    this.#step({ _tag: "Asked", id: this.#session.newId("req"), awaiting, ...(cause === undefined ? {} : { cause }) })
  }

  /** Asks the model to answer this item. */
  askAbout(itemId: string): void {
    this.ask([itemId], { itemIds: [itemId] })
  }

  /** Asks for a response with its own parameters. Returns the id of the request. `itemIds`: the items to answer. */
  request(params: ResponseParams, itemIds: ReadonlyArray<string> = []): string {
    const id = this.#session.newId("req")
    const outOfBand = params.conversation === "none"
    this.#step({ _tag: "AskedExplicitly", id, params, outOfBand, cause: { itemIds } })
    return id
  }

  /** All responses that are still owed: waiting, requested, or in progress. */
  owed(): ReadonlyArray<Scheduler.Owed> {
    return this.#scheduler.owed()
  }

  /** How many requests of that kind wait for their turn, or outside the conversation for a response. */
  waiting(): number {
    return this.#scheduler.waiting()
  }

  itemAcknowledged(itemId: string): void {
    this.#step({ _tag: "ItemAcknowledged", itemId })
  }

  created(response: Response): void {
    if (typeof response.id === "string") this.#described(response.id, response, false)
  }

  /** The server sent something for this response, so it has begun, whether it was announced or not. */
  progressed(responseId: string): void {
    if (this.#scheduler.isLive(responseId)) {
      const { connections, speech } = this.#session
      const silentUntil = connections.traits.responsesEnd === "played" ? speech.endsAt() : undefined
      this.#step({ _tag: "ResponseProgressed", responseId, silentUntil })
    }
    // Its calls must not wait for an end that nothing watches for.
    else if (this.#scheduler.isPast(responseId)) this.#ended(responseId, "Whole")
    else this.#presumed(responseId, false, true)
  }

  /**
   * Like `progressed`, for what may also come after the end of a response: where another one is requested or active, a
   * response that nobody saw is over.
   */
  mentioned(responseId: string): void {
    const scheduler = this.#scheduler
    const isOther = scheduler.active().length > 0 || scheduler.presumed().eventId !== undefined
    if (isOther && !scheduler.isLive(responseId)) this.#ended(responseId, "Whole")
    else this.progressed(responseId)
  }

  done(response: Response): void {
    const scheduler = this.#scheduler
    const { hearing, outbox, telemetry } = this.#session
    if (typeof response.id === "string") {
      // It was given up. For the server it went on until now, and was in the way of requests.
      if (scheduler.hasEnded(response.id)) {
        this.#step({
          _tag: "ResponseDone",
          responseId: response.id,
          whose: undefined,
          failed: undefined,
          carriedOn: false
        })
        return
      }
      this.#described(response.id, response, true)
    }
    const responseId = scheduler.endedBy(response.id ?? undefined)
    const status = response.status ?? "completed"
    const error = response.status_details?.error ?? undefined
    const reason = response.status_details?.reason ?? error?.code ?? error?.type ?? undefined
    const failed = status === "failed" && mayPass(error ?? {}) ? this.#passing(error ?? {}) : undefined
    const eventId = response.metadata?.[requestKey]
    telemetry.responseEnded(responseId, { status, reason, usage: response.usage ?? undefined })
    if (response.usage) this.#usage = Usage.add(this.#usage, response.usage)
    outbox.publish({
      _tag: "ResponseDone",
      responseId: responseId ?? "",
      requestId: eventId == null ? undefined : Scheduler.requestOf(eventId),
      outOfBand: responseId !== undefined && scheduler.isOutOfBand(responseId),
      status,
      reason,
      message: error?.message ?? undefined,
      usage: response.usage ?? undefined,
      metadata: ownMetadata(response.metadata),
      cause: this.#causeOf(responseId)
    })
    const carriedOn = failed === undefined ? nothing : this.#carryOn(responseId === undefined ? [] : [responseId])
    if (failed !== undefined && scheduler.awaited().includes(responseId ?? "")) hearing.owed()
    if (responseId !== undefined) this.#ended(responseId, this.#endOf(responseId, response))
    const whose = response.metadata === undefined ? undefined : { eventId }
    this.#step({ _tag: "ResponseDone", responseId, whose, failed, carriedOn: carriedOn.has(responseId ?? "") })
  }

  /** Whether the refused event was a request for a response. */
  refused(eventId: string, error: ServerError): boolean {
    const collision = error.code === "conversation_already_has_active_response"
    if (!this.#scheduler.isOutstanding(eventId)) {
      if (!collision || !eventId.startsWith("req_")) return false
      this.#step({ _tag: "Refused", eventId, refusal: { _tag: "Collision" } })
      return true
    }
    this.#refusal = error
    if (collision) this.#step({ _tag: "Refused", eventId, refusal: { _tag: "Collision" } })
    else if (mayPass(error)) {
      this.#step({ _tag: "Refused", eventId, refusal: { _tag: "Passing", ...this.#passing(error) } })
    } else this.#step({ _tag: "Refused", eventId, refusal: { _tag: "Final" } })
    return true
  }

  /** When the used-up limits are renewed. */
  limited(limits: RateLimitsUpdated["rate_limits"]): void {
    this.#renewedAt = 0
    for (const { remaining, reset_seconds } of limits) {
      if (remaining !== 0) continue
      this.#renewedAt = Math.max(this.#renewedAt, this.#session.now() + (reset_seconds ?? 0) * 1_000)
    }
  }

  speechStarted(): void {
    this.#step({ _tag: "SpeechStarted" })
  }

  speechStopped(): void {
    this.#session.telemetry.turnEnded()
    this.#step({ _tag: "SpeechStopped" })
  }

  /** The server treats the user's silence as a turn. */
  idleTimedOut(): void {
    this.#step({ _tag: "IdleTimedOut" })
  }

  speechCleared(): void {
    this.#step({ _tag: "SpeechCleared" })
  }

  /** The model took its calls back: the server answers what made it do so by itself. */
  callsTakenBack(): void {
    this.#step({ _tag: "CallsTakenBack", id: this.#session.newId("req") })
  }

  /** The user's speech is now an item of the conversation. */
  turnCommitted(): void {
    this.#step({ _tag: "TurnCommitted", id: this.#session.newId("req") })
  }

  interrupt(): void {
    this.#step({ _tag: "Interrupted" })
  }

  /** A guardrail withdraws the answers to an item of the user's, also those that have not begun. */
  withdraw(answers: Omit<Extract<Scheduler.Input, { _tag: "Withdrawn" }>, "_tag">): void {
    this.#step({ _tag: "Withdrawn", ...answers })
  }

  /** Stops what is being spoken outside the conversation, or is about to be. */
  interruptBeside(): void {
    this.#step({ _tag: "BesideInterrupted" })
  }

  /**
   * Stops this response, inside or outside the conversation. Returns whether that cut the session's conversation short.
   */
  cancel(responseId: string): boolean {
    const isOfConversation = this.#scheduler.active().includes(responseId)
    this.#step({ _tag: "Condemned", responseId })
    return isOfConversation
  }

  /** Whether this response is out-of-band: its items are in no conversation. */
  isOutOfBand(responseId: string): boolean {
    return this.#scheduler.isOutOfBand(responseId)
  }

  /** The same at its end, also where nobody saw its beginning, as on a lost connection. */
  wasOutOfBand({ conversation_id, id }: Response): boolean {
    const scheduler = this.#scheduler
    const responseId = id ?? ""
    const isKnown = scheduler.isLive(responseId) || scheduler.isPast(responseId)
    return isKnown ? scheduler.isOutOfBand(responseId) : conversation_id === null
  }

  /** The active responses of the conversation. */
  active(): ReadonlyArray<string> {
    return this.#scheduler.active()
  }

  /** The active responses that somebody waits for. */
  awaited(): ReadonlyArray<string> {
    return this.#scheduler.awaited()
  }

  /**
   * The connection is lost, and active or requested responses with it. What is owed is kept, except for what is in
   * `carriedOn`.
   */
  disconnected(carriedOn: ReadonlySet<string>): void {
    this.#lose(carriedOn, false)
  }

  /** The connection is lost, but the conversation lives on: the server finishes what it has begun. */
  left(): void {
    this.#lose(nothing, true)
  }

  /** Nothing is requested until `reconnected`. */
  paused(): void {
    this.#step({ _tag: "Paused" })
  }

  /** There is a new connection: owed responses are requested. */
  reconnected(): void {
    this.#step({ _tag: "Reconnected" })
  }

  /** Nothing holds back the requests of the conversation any more. */
  released(): void {
    this.#step({ _tag: "Released" })
  }

  /** Whether nothing is active, requested or waiting, and the user is not in a turn that the server will answer. */
  isIdle(): boolean {
    return this.#scheduler.isIdle()
  }

  usage(): Usage.Usage {
    return this.#usage
  }

  timePassed(): void {
    const scheduler = this.#scheduler
    // The calls of responses that are given up learn of it first, so that their requests and the retry become one
    // request.
    const silent = scheduler.silent(this.#session.now())
    const carriedOn = silent.length === 0 ? nothing : this.#carryOn(silent)
    if (scheduler.awaited().some((responseId) => silent.includes(responseId))) this.#session.hearing.owed()
    for (const responseId of silent) this.#ended(responseId, "Stopped")
    this.#step({ _tag: "TimePassed", carriedOn })
  }

  deadline(): number | undefined {
    return this.#scheduler.deadline()
  }

  #step(input: Scheduler.Input): void {
    for (const command of this.#scheduler.step(input, this.#session.now())) this.#carryOut(command)
  }

  #carryOut(command: Scheduler.Command): void {
    const { outbox, telemetry } = this.#session
    switch (command._tag) {
      case "Create": {
        const { eventId } = command
        const params = command.params ?? replyParams(this.#toolChoice())
        const metadata = { ...params?.metadata, [requestKey]: eventId }
        telemetry.requested(eventId)
        outbox.send({ type: "response.create", event_id: eventId, response: { ...params, metadata } })
        break
      }
      case "Cancel": {
        const { responseId } = command
        this.#session.speech.cancelled(responseId)
        outbox.send({ type: "response.cancel", event_id: this.#session.newId("cnl"), response_id: responseId })
        break
      }
      case "Stalled":
      case "Lost": {
        const { cause, requestId, responseId } = command
        if (command._tag === "Stalled") outbox.publish({ _tag: "ResponseStalled", requestId, responseId, cause })
        else outbox.publish({ _tag: "ResponseLost", requestId, responseId, interrupted: command.interrupted, cause })
        if (responseId !== undefined) telemetry.responseEnded(responseId, { status: "stalled" })
        break
      }
      case "RequestFailed":
        outbox.publish({
          _tag: "ResponseRefused",
          requestId: command.requestId,
          code: this.#refusal?.code ?? undefined,
          message: this.#refusal?.message ?? "The server refused the request for a response.",
          retryInMs: command.retryIn,
          cause: command.cause
        })
        break
    }
  }

  /** The tool choice for the session's own requests; absent if the one in the settings applies. */
  #toolChoice(): "auto" | "none" | undefined {
    const { calls, configuration, options } = this.#session
    const turn = calls.turn()
    if (turn === "Spent") return "none"
    return turn === "Called" && options.forcedToolChoice === "once" && configuration.forcesCalls() ? "auto" : undefined
  }

  /** The response will make no more calls. */
  #ended(responseId: string, end: ResponseEnd): void {
    this.#session.hostedCalls.responseEnded(responseId, end)
    this.#session.calls.responseEnded(responseId, end)
  }

  /**
   * How a response ended. A failure for a temporary reason is retried; nobody waits for a response that was stopped.
   */
  #endOf(responseId: string, { status, status_details: details }: Response): ResponseEnd {
    if ((status ?? "completed") === "completed") return "Whole"
    const isAskedAgain = status === "failed" && mayPass(details?.error ?? {})
    const isAwaited = this.#scheduler.awaited().includes(responseId)
    return isAskedAgain || status === "cancelled" || !isAwaited ? "Stopped" : "CutShort"
  }

  #passing(error: Partial<ErrorOfResponse>): Scheduler.Passing {
    const isLimit = (error.code ?? error.type ?? "").includes("rate_limit")
    const untilRenewed = this.#renewedAt - this.#session.now()
    return { after: namedIn(error.message ?? "") ?? (isLimit && untilRenewed > 0 ? untilRenewed : undefined) }
  }

  /**
   * Of these responses, which were cut off, those that go on once their calls have outputs. Only includes responses
   * that somebody waits for.
   */
  #carryOn(responseIds: ReadonlyArray<string>): ReadonlySet<string> {
    const awaited = this.#scheduler.awaited()
    return this.#session.calls.carryOn(responseIds.filter((responseId) => awaited.includes(responseId)))
  }

  /**
   * Handles a response as the server describes it. Without metadata, the only clue to the request is what the response
   * has to answer. `unseen`: unless it is known, nobody saw it begin.
   */
  #described(responseId: string, { conversation_id, metadata }: Response, unseen: boolean): void {
    if (metadata === undefined) this.#presumed(responseId, conversation_id === null, unseen)
    else {
      const eventId = metadata?.[requestKey]
      this.#began({ responseId, eventId, outOfBand: conversation_id === null, presumed: false, unseen }, metadata)
    }
  }

  #presumed(responseId: string, isBeside: boolean, unseen: boolean): void {
    const { eventId, outOfBand } = this.#scheduler.presumed()
    this.#began({ responseId, eventId, outOfBand: outOfBand || isBeside, presumed: true, unseen }, undefined)
  }

  #began(
    response: Omit<Extract<Scheduler.Input, { _tag: "ResponseCreated" }>, "_tag">,
    metadata: Response["metadata"]
  ): void {
    const scheduler = this.#scheduler
    const { eventId, responseId } = response
    if (scheduler.isLive(responseId) || scheduler.isPast(responseId)) return
    const { calls, conversation, guardrails, outbox, speech, telemetry } = this.#session
    const commands = scheduler.step({ _tag: "ResponseCreated", ...response }, this.#session.now())
    const requestId = eventId === undefined ? undefined : Scheduler.requestOf(eventId)
    const outOfBand = scheduler.isOutOfBand(responseId)
    calls.responseBegan(responseId)
    const owed = scheduler.answers(responseId)
    // A response that is about to be cancelled is not an answer.
    if (owed !== undefined && scheduler.awaited().includes(responseId)) this.#session.answers.began(responseId, owed)
    conversation.began(responseId)
    guardrails.responseBegan(responseId)
    speech.responseCreated(responseId, outOfBand)
    const blockedBy = scheduler.blockedBy(responseId)
    if (blockedBy !== undefined) {
      const withdrawn = new Set([responseId])
      speech.withdraw(withdrawn, blockedBy)
      calls.withdraw(withdrawn)
    }
    telemetry.responseStarted(responseId, eventId, requestId)
    const cause = this.#causeOf(responseId)
    outbox.publish({
      _tag: "ResponseStarted",
      responseId,
      requestId,
      outOfBand,
      metadata: ownMetadata(metadata),
      cause
    })
    for (const command of commands) this.#carryOut(command)
  }

  #causeOf(responseId: string | undefined): Scheduler.Cause | undefined {
    const owed = responseId === undefined ? undefined : this.#scheduler.answers(responseId)
    return owed === undefined ? undefined : Scheduler.causeOf(owed)
  }

  #lose(carriedOn: ReadonlySet<string>, livesOn: boolean): void {
    const { newId, outbox, telemetry } = this.#session
    for (const responseId of this.#scheduler.live()) {
      telemetry.responseEnded(responseId, { status: "incomplete", reason: connectionLost })
      outbox.publish({
        _tag: "ResponseDone",
        responseId,
        requestId: undefined,
        outOfBand: this.#scheduler.isOutOfBand(responseId),
        status: "incomplete",
        reason: connectionLost,
        usage: undefined,
        metadata: undefined,
        cause: this.#causeOf(responseId)
      })
      this.#ended(responseId, "Stopped")
    }
    this.#step({ _tag: "ConnectionLost", id: newId("req"), carriedOn, livesOn })
  }
}

const replyParams = (tool_choice: "auto" | "none" | undefined): ResponseParams | undefined =>
  tool_choice === undefined ? undefined : { tool_choice }

/** A forced call was for the first response: the model must be able to speak of the result. */
const unforced = ({ tool_choice, ...params }: ResponseParams): ResponseParams =>
  tool_choice === "auto" || tool_choice === "none" ? { ...params, tool_choice } : params

const nothing: ReadonlySet<string> = new Set()
