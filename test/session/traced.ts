import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"

/** A tracer that keeps its spans, in the order in which they began. */
export const recorder = () => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const span = record({ name, parent, context, links: [...links], kind }, startTime, `span_${spans.length}`)
      spans.push(span)
      return span
    },
    context: (execute) => execute()
  })
  const named = (name: string) => spans.filter((span) => span.name === name)
  const nameOf = ({ parent }: Tracer.Span): string | undefined =>
    Option.getOrUndefined(
      Option.map(parent, ({ spanId }) => spans.find((span) => span.spanId === spanId)?.name ?? spanId)
    )
  return {
    spans,
    named,
    /** Each span, and the one that it is below. */
    tree: () => spans.map((span) => [span.name, nameOf(span)] as const),
    attributesOf: (name: string) => named(name).map(({ attributes }) => Object.fromEntries(attributes)),
    /** How each of them ended: with an error, or without one. */
    endsOf: (name: string) =>
      named(name).map(({ status }) =>
        status._tag === "Started" ? "not ended" : status.exit._tag === "Success" ? "ok" : status.exit.cause
      ),
    layer: Layer.setTracer(tracer)
  }
}

const record = (
  fields: Pick<Tracer.Span, "name" | "parent" | "context" | "links" | "kind">,
  startTime: bigint,
  spanId: string
): Tracer.Span => {
  const attributes = new Map<string, unknown>()
  let status: Tracer.SpanStatus = { _tag: "Started", startTime }
  return {
    ...fields,
    _tag: "Span",
    spanId,
    traceId: "trace",
    sampled: true,
    attributes,
    get status() {
      return status
    },
    end: (endTime, exit) => {
      status = { _tag: "Ended", startTime, endTime, exit }
    },
    attribute: (key, value) => {
      attributes.set(key, value)
    },
    event: () => undefined,
    addLinks: () => undefined
  }
}

/** The name of the span that an effect runs in. */
export const currentName = Effect.map(Effect.option(Effect.currentSpan), (span) =>
  Option.getOrUndefined(Option.map(span, ({ name }) => name))
)
