import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

/** What is said of a span; what is `undefined` is left out. */
type Attributes = Readonly<Record<string, unknown>>

/**
 * A span for each response and each call, below the session's. They are opened and closed by hand, for a response
 * begins and ends in different inputs of the loop; none takes a stack trace, and none sees a defect.
 */
export class Spans {
  readonly #responses = new Map<string, Tracer.Span>()

  constructor(
    private readonly tracer: Tracer.Tracer,
    private readonly clock: Clock.Clock,
    private readonly session: Tracer.AnySpan
  ) {}

  responseStarted(responseId: string, requestId: string | undefined): void {
    this.#responses.set(responseId, this.#start("realtime.response", this.session, { responseId, requestId }))
  }

  responseEnded(responseId: string | undefined, attributes: Attributes): void {
    const span = responseId === undefined ? undefined : this.#responses.get(responseId)
    if (responseId === undefined || span === undefined) return
    this.#responses.delete(responseId)
    this.end(span, attributes)
  }

  callStarted({
    callId,
    tool,
    responseId
  }: {
    readonly callId: string
    readonly tool: string
    readonly responseId: string | undefined
  }): Tracer.Span {
    const response = responseId === undefined ? undefined : this.#responses.get(responseId)
    return this.#start("realtime.call", response ?? this.session, { callId, tool })
  }

  end(span: Tracer.Span, attributes: Attributes): void {
    setAll(span, attributes)
    span.end(this.clock.unsafeCurrentTimeNanos(), Exit.void)
  }

  /** Ends what is still open. */
  close(): void {
    for (const span of this.#responses.values()) span.end(this.clock.unsafeCurrentTimeNanos(), Exit.void)
    this.#responses.clear()
  }

  #start(name: string, parent: Tracer.AnySpan, attributes: Attributes): Tracer.Span {
    const at = this.clock.unsafeCurrentTimeNanos()
    const span = this.tracer.span(name, Option.some(parent), Context.empty(), [], at, "internal")
    setAll(span, attributes)
    return span
  }
}

const setAll = (span: Tracer.Span, attributes: Attributes): void => {
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
}
