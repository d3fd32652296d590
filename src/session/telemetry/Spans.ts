import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Attributes } from "./conventions.js"
import { tagOf } from "./tagOf.js"

/** The tracer, and the session's span. */
export interface Tracing {
  readonly tracer: Tracer.Tracer
  readonly session: Tracer.Span
}

/** The default tracer of every program, whose spans nobody reads. */
const native = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** The session's span, below the span of its maker. Absent if nobody traces. */
export const tracing = (name: string, attributes: Attributes): Effect.Effect<Tracing | undefined> =>
  Effect.gen(function* () {
    const tracer = yield* Effect.tracer
    if (tracer === native || !(yield* FiberRef.get(FiberRef.currentTracerEnabled))) return undefined
    const session = yield* Effect.makeSpan(name, { captureStackTrace: false })
    setAll(session, attributes)
    return { tracer, session }
  })

/**
 * The spans below the session's span. Most are opened and closed by hand, because they begin and end in different
 * inputs of the loop. None takes a stack trace or holds a defect: a span fails with a tag. If nobody traces, there are
 * none.
 */
export class Spans {
  constructor(
    private readonly tracing: Tracing | undefined,
    private readonly clock: Clock.Clock
  ) {}

  get session(): Tracer.Span | undefined {
    return this.tracing?.session
  }

  /** `agoMs`: how long ago the span began. `parent`: by default the session's span. */
  start(
    name: string,
    kind: Tracer.SpanKind,
    attributes: () => Attributes,
    { agoMs = 0, parent }: { readonly agoMs?: number; readonly parent?: Tracer.AnySpan | undefined } = {}
  ): Tracer.Span | undefined {
    if (this.tracing === undefined) return undefined
    const { session, tracer } = this.tracing
    const at = this.clock.unsafeCurrentTimeNanos() - BigInt(Math.round(agoMs * 1e6))
    return safely(() => {
      const span = tracer.span(name, Option.some(parent ?? session), Context.empty(), [], at, kind)
      setAll(span, attributes())
      return span
    })
  }

  describe(span: Tracer.Span, attributes: Attributes): void {
    safely(() => setAll(span, attributes))
  }

  /** `errorType`: the type of the failure. */
  end(span: Tracer.Span | undefined, attributes: () => Attributes, errorType?: string): void {
    if (span === undefined || span.status._tag === "Ended") return
    safely(() => {
      setAll(span, attributes())
      if (errorType !== undefined) span.attribute("error.type", errorType)
      span.end(this.clock.unsafeCurrentTimeNanos(), errorType === undefined ? Exit.void : Exit.fail(errorType))
    })
  }

  /**
   * Runs an effect in its own span. `parent`: by default the fiber's span, such as that of the call whose handler it
   * runs.
   */
  within<A, E, R>(
    name: string,
    attributes: () => Attributes,
    effect: Effect.Effect<A, E, R>,
    {
      ended = noAttributes,
      errorTypeOf,
      parent
    }: {
      readonly ended?: (value: A) => Attributes
      /** The error type of a result that counts as a failure. */
      readonly errorTypeOf?: (value: A) => string | undefined
      readonly parent?: Tracer.AnySpan | undefined
    } = {}
  ): Effect.Effect<A, E, R> {
    if (this.tracing === undefined) return effect
    return Effect.flatMap(Effect.serviceOption(Tracer.ParentSpan), (above) => {
      const span = this.start(name, "internal", attributes, { parent: parent ?? Option.getOrUndefined(above) })
      if (span === undefined) return effect
      return Effect.onExit(Effect.withParentSpan(effect, span), (exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) this.end(span, () => ended(exit.value), errorTypeOf?.(exit.value))
          else this.end(span, noAttributes, tagOf(exit.cause))
        })
      )
    })
  }
}

/** A tracer that throws costs the session its spans, and nothing else. */
const safely = <A>(trace: () => A): A | undefined => {
  try {
    return trace()
  } catch {
    return undefined
  }
}

export const noAttributes = (): Attributes => ({})

const setAll = (span: Tracer.Span, attributes: Attributes): void => {
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
}
