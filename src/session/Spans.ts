import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"

/**
 * A span for each response and each call, below the session's. They are opened and closed by hand, for a response
 * begins and ends in different inputs of the loop; none takes a stack trace, and none sees a defect.
 */
export interface Spans {
  readonly responseStarted: (responseId: string, requestId: string | undefined) => void
  readonly responseEnded: (responseId: string | undefined, attributes: Readonly<Record<string, unknown>>) => void
  readonly callStarted: (call: {
    readonly callId: string
    readonly tool: string
    readonly responseId: string | undefined
  }) => Tracer.Span
  readonly end: (span: Tracer.Span, attributes: Readonly<Record<string, unknown>>) => void
  /** Ends what is still open. */
  readonly close: () => void
}

export const make = (tracer: Tracer.Tracer, clock: Clock.Clock, session: Tracer.AnySpan): Spans => {
  const responses = new Map<string, Tracer.Span>()

  const start = (name: string, parent: Tracer.AnySpan, attributes: Readonly<Record<string, unknown>>): Tracer.Span => {
    const span = tracer.span(name, Option.some(parent), Context.empty(), [], clock.unsafeCurrentTimeNanos(), "internal")
    setAll(span, attributes)
    return span
  }

  const end = (span: Tracer.Span, attributes: Readonly<Record<string, unknown>>): void => {
    setAll(span, attributes)
    span.end(clock.unsafeCurrentTimeNanos(), Exit.void)
  }

  const setAll = (span: Tracer.Span, attributes: Readonly<Record<string, unknown>>): void => {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
  }

  return {
    responseStarted: (responseId, requestId) => {
      responses.set(responseId, start("realtime.response", session, { responseId, requestId }))
    },
    responseEnded: (responseId, attributes) => {
      const span = responseId === undefined ? undefined : responses.get(responseId)
      if (responseId === undefined || span === undefined) return
      responses.delete(responseId)
      end(span, attributes)
    },
    callStarted: ({ callId, tool, responseId }) =>
      start("realtime.call", (responseId === undefined ? undefined : responses.get(responseId)) ?? session, {
        callId,
        tool
      }),
    end,
    close: () => {
      for (const responseId of responses.keys())
        responses.get(responseId)?.end(clock.unsafeCurrentTimeNanos(), Exit.void)
      responses.clear()
    }
  }
}
