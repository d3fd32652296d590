import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import { forgetOldest } from "../../common/forgetOldest.js"
import type { Guardrail } from "../../Guardrail.js"
import type { CallInfo, SessionEvent } from "../../SessionEvent.js"
import type { ToolDefect, ToolError } from "../../ToolError.js"
import type { Judged } from "../guardrails/judge.js"
import type { Parts } from "../Parts.js"
import * as conventions from "./conventions.js"
import type { Labels } from "./Instrument.js"
import * as instruments from "./instruments.js"
import { noAttributes, Spans, type Tracing } from "./Spans.js"

/** A response in progress. */
interface Live {
  readonly span: Tracer.Span | undefined
  /** When it was requested. */
  readonly since: number
  readonly model: string | undefined
  readonly provider: string
  hasSpoken: boolean
  hasWritten: boolean
}

/** The time without a connection. */
interface Gap {
  readonly span: Tracer.Span | undefined
  readonly since: number
  attempts: number
}

/** Far more than the requests that wait at a time. */
const maxRequests = 64

/** What a session reports to operators: spans, metrics, and one log line for each call that dies. */
export class Telemetry {
  readonly spans: Spans
  readonly #responses = new Map<string, Live>()
  /** When each request was sent, by the id of its event. */
  readonly #requests = new Map<string, number>()
  /** When the server noticed that the user had finished, if nothing has answered yet. */
  #turnEndedAt: number | undefined
  #gap: Gap | undefined
  #isOpen = false

  constructor(
    private readonly session: Parts,
    clock: Clock.Clock,
    tracing: Tracing | undefined,
    /** The application's labels for all of its metrics. */
    private readonly labels: Labels
  ) {
    this.spans = new Spans(tracing, clock)
  }

  sessionStarted(): void {
    this.#isOpen = true
    instruments.openSessions.move(this.labels, 1)
  }

  /** A request for a response was sent. */
  requested(eventId: string): void {
    this.#requests.set(eventId, this.session.now())
    forgetOldest(this.#requests, maxRequests)
  }

  /** The user has finished: the response of a server that answers by itself is measured from here. */
  turnEnded(): void {
    this.#turnEndedAt = this.session.now()
  }

  responseStarted(responseId: string, eventId: string | undefined, requestId: string | undefined): void {
    const { beginning, calls, configuration, connections, options } = this.session
    const { provider } = connections.traits
    const now = this.session.now()
    const since = (eventId === undefined ? this.#turnEndedAt : this.#requests.get(eventId)) ?? now
    if (eventId === undefined) this.#turnEndedAt = undefined
    else this.#requests.delete(eventId)
    const model = options.model ?? configuration.model()
    const attributes = () => {
      const { name: agent } = calls.offers.of(responseId).agent
      return conventions.ofResponse({ responseId, requestId, sessionId: beginning.sessionId, agent, model, provider })
    }
    const name = model === undefined ? conventions.operation : `${conventions.operation} ${model}`
    const span = this.spans.start(name, "client", attributes, { agoMs: now - since })
    this.#responses.set(responseId, { span, since, model, provider, hasSpoken: false, hasWritten: false })
  }

  /** The first audio of a response may have come. */
  spoke(responseId: string): void {
    const response = this.#responses.get(responseId)
    if (response === undefined || response.hasSpoken) return
    response.hasSpoken = true
    this.#firstChunk(response, "speech")
  }

  /** The first text of a response may have come. */
  wrote(responseId: string): void {
    const response = this.#responses.get(responseId)
    if (response === undefined || response.hasWritten) return
    response.hasWritten = true
    this.#firstChunk(response, "text")
  }

  responseEnded(responseId: string | undefined, end: conventions.ResponseEnd): void {
    const response = responseId === undefined ? undefined : this.#responses.get(responseId)
    if (responseId === undefined || response === undefined) return
    this.#responses.delete(responseId)
    const errorType = conventions.errorTypeOf(end)
    this.spans.end(response.span, () => conventions.ofResponseEnd(end), errorType)
    instruments.responses.update(this.labels, 1, end.status)
    const took = this.#secondsSince(response.since)
    instruments.inferenceDuration.update(this.labels, took, ...ofModel(response), errorType)
    this.#count(response, end)
  }

  callStarted(call: CallInfo, isKnown: boolean): Tracer.Span | undefined {
    instruments.openCalls.move(this.labels, 1)
    const attributes = () => conventions.ofCall({ ...call, sessionId: this.session.id })
    const parent = call.responseId === undefined ? undefined : this.spanOf(call.responseId)
    // A name that the model made up must not appear in the name of a span.
    return this.spans.start(isKnown ? `execute_tool ${call.tool}` : "execute_tool", "internal", attributes, { parent })
  }

  callEnded(span: Tracer.Span | undefined, error: ToolError | undefined): void {
    instruments.openCalls.move(this.labels, -1)
    if (error === undefined) this.spans.end(span, noAttributes)
    else this.spans.end(span, () => conventions.ofCallFailure(error), error._tag)
  }

  /** The span of this response, while it is in progress; otherwise the session's span. */
  spanOf(responseId: string): Tracer.Span | undefined {
    return this.#responses.get(responseId)?.span ?? this.spans.session
  }

  /** A check by a guardrail. `parent`: by default the span of the call that is checked. */
  checked<R>(
    { name, subject }: Pick<Guardrail, "name" | "subject">,
    check: Effect.Effect<Judged, never, R>,
    parent?: Tracer.Span
  ): Effect.Effect<Judged, never, R> {
    return this.spans.within(`guardrail ${name}`, () => conventions.ofGuardrail(name, subject), check, {
      ended: ({ verdict }) => conventions.ofVerdict(verdict._tag === "Trip"),
      errorTypeOf: ({ failure }) => failure?._tag,
      parent
    })
  }

  /** A transfer to another agent. `parent`: by default the span of the call that asks for it. */
  handedOver<E, R>(
    from: string,
    to: string,
    transfer: Effect.Effect<void, E, R>,
    parent?: Tracer.Span
  ): Effect.Effect<void, E, R> {
    return this.spans.within(`handoff ${to}`, () => conventions.ofHandoff(from, to), transfer, { parent })
  }

  /** One log line. The cause is in the event, and the incident id connects it with what the model read. */
  died(call: CallInfo, { incidentId }: ToolDefect, span: Tracer.Span | undefined): Effect.Effect<void> {
    const line = Effect.logWarning(
      `The tool ${call.tool} died (incident ${incidentId}). The cause is in the event ToolFailed, as error.defect.`
    ).pipe(
      Effect.annotateLogs({
        incidentId,
        tool: call.tool,
        agent: call.agent,
        callId: call.callId,
        responseId: call.responseId ?? "",
        sessionId: this.session.id
      }),
      // A logger that fails costs the session nothing.
      Effect.catchAllCause(() => Effect.void)
    )
    return span === undefined ? line : Effect.withParentSpan(line, span)
  }

  /** Derives everything else from the events. */
  published(event: SessionEvent<unknown>): void {
    const { labels } = this
    switch (event._tag) {
      case "ToolSucceeded":
        instruments.calls.update(labels, 1, event.call.tool, "Succeeded")
        instruments.toolDuration.update(labels, event.durationMs / 1000, event.call.tool, undefined)
        break
      case "ToolFailed": {
        const { _tag } = event.error
        const tool = _tag === "ToolNotFound" ? undefined : event.call.tool
        instruments.calls.update(labels, 1, tool, _tag)
        instruments.toolDuration.update(labels, event.durationMs / 1000, tool, _tag)
        break
      }
      case "ConnectionLost":
        if (event.willReconnect && this.#gap === undefined) {
          const span = this.spans.start("reconnect", "internal", () => conventions.ofLoss(event.code))
          this.#gap = { span, since: this.session.now(), attempts: 0 }
        }
        break
      case "Reconnecting":
        if (this.#gap !== undefined) this.#gap.attempts = event.attempt
        break
      case "Reconnected":
        this.#gapEnded("Recovered")
        break
      case "HandedOff":
        instruments.handoffs.update(labels, 1, event.from, event.to)
        break
      case "GuardrailTripped":
        instruments.guardrailTrips.update(labels, 1, event.guardrail, event.subject)
        break
      case "InputAudioDropped":
        instruments.inputAudioDropped.update(labels, event.seconds)
        break
      case "AudioDropped":
        instruments.outputAudioDropped.update(labels, event.count)
        break
    }
  }

  /** The session is over: closes what is still open. `errorType`: the type of the failure that ended it. */
  close(errorType: string | undefined): void {
    const end = { status: "cancelled", reason: "session_ended" }
    for (const responseId of Array.from(this.#responses.keys())) this.responseEnded(responseId, end)
    this.#gapEnded("GivenUp")
    this.spans.end(this.spans.session, noAttributes, errorType)
    if (this.#isOpen) instruments.openSessions.move(this.labels, -1)
    this.#isOpen = false
  }

  #firstChunk(response: Live, kind: "speech" | "text"): void {
    const took = this.#secondsSince(response.since)
    instruments.timeToFirstChunk.update(this.labels, took, ...ofModel(response), kind)
    // If a response has both, the first audio counts.
    if (response.span === undefined || (kind === "text" && response.hasSpoken)) return
    this.spans.describe(response.span, conventions.ofFirstChunk(kind, took))
  }

  #count(response: Live, { usage }: conventions.ResponseEnd): void {
    if (usage === undefined) return
    const { input_token_details: input, output_token_details: output } = usage
    const add = (
      instrument: typeof instruments.inputTokens,
      all: number | null | undefined,
      of: ReadonlyArray<readonly [modality: string, tokens: number | null | undefined]>
    ): void => {
      let rest = all ?? 0
      for (const [modality, tokens] of of) {
        if (tokens === null || tokens === undefined || !(tokens > 0)) continue
        rest -= tokens
        instrument.update(this.labels, tokens, ...ofModel(response), modality)
      }
      // Tokens whose kind the server does not name.
      if (rest > 0) instrument.update(this.labels, rest, ...ofModel(response), undefined)
    }
    add(instruments.inputTokens, usage.input_tokens, [
      ["text", input?.text_tokens],
      ["audio", input?.audio_tokens],
      ["image", input?.image_tokens]
    ])
    const cached = input?.cached_tokens_details
    add(instruments.cachedTokens, input?.cached_tokens, [
      ["text", cached?.text_tokens],
      ["audio", cached?.audio_tokens],
      ["image", cached?.image_tokens]
    ])
    add(instruments.outputTokens, usage.output_tokens, [
      ["text", output?.text_tokens],
      ["audio", output?.audio_tokens]
    ])
  }

  #gapEnded(outcome: "Recovered" | "GivenUp"): void {
    const gap = this.#gap
    if (gap === undefined) return
    this.#gap = undefined
    const errorType = outcome === "Recovered" ? undefined : "ConnectionLost"
    this.spans.end(gap.span, () => conventions.ofAttempts(gap.attempts), errorType)
    instruments.reconnects.update(this.labels, 1, outcome)
    instruments.reconnectDuration.update(this.labels, this.#secondsSince(gap.since), outcome)
  }

  #secondsSince(since: number): number {
    return (this.session.now() - since) / 1000
  }
}

const ofModel = ({ model, provider }: Live) => [conventions.operation, provider, model] as const
