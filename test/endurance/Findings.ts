/** What sessions came to, as their server saw it and as they said it themselves. */
import * as Effect from "effect/Effect"
import type * as Conversation from "../../src/Conversation.js"
import type * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { SessionEvent } from "../../src/SessionEvent.js"

export interface Findings {
  readonly sessions: number
  readonly connections: number
  readonly calls: number
  readonly kills: number
  readonly losses: number
  readonly refusedHandshakes: number
  /** Each is a sentence: there should be none. */
  readonly violations: ReadonlyArray<string>
  /** What the server refused, by its code. */
  readonly refusals: Readonly<Record<string, number>>
}

export const none: Findings = {
  sessions: 0,
  connections: 0,
  calls: 0,
  kills: 0,
  losses: 0,
  refusedHandshakes: 0,
  violations: [],
  refusals: {}
}

export const sum = (a: Findings, b: Findings): Findings => {
  const refusals = { ...a.refusals }
  for (const [code, count] of Object.entries(b.refusals)) refusals[code] = (refusals[code] ?? 0) + count
  return {
    sessions: a.sessions + b.sessions,
    connections: a.connections + b.connections,
    calls: a.calls + b.calls,
    kills: a.kills + b.kills,
    losses: a.losses + b.losses,
    refusedHandshakes: a.refusedHandshakes + b.refusedHandshakes,
    violations: [...a.violations, ...b.violations],
    refusals
  }
}

/** Resources that a session leaves behind. */
export interface Trace {
  readonly name: string
  readonly events: ReadonlyArray<SessionEvent<unknown>>
  readonly conversation: Conversation.Conversation
  /** The calls whose handler ran, once for each time. */
  readonly ran: ReadonlyArray<string>
}

const repeated = (ids: ReadonlyArray<string>): ReadonlyArray<string> => ids.filter((id, at) => ids.indexOf(id) !== at)

/** The calls of the last connection that have not exactly one output, and the outputs that any was given twice. */
export const unsettled = (
  connections: ReadonlyArray<EmbeddedRealtime.ServerConnection>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const violations: Array<string> = []
    for (const { number, outputs } of connections) {
      const twice = repeated((yield* outputs).map(({ callId }) => callId))
      for (const callId of twice) violations.push(`${callId} was answered twice on connection ${number}.`)
    }
    const last = connections.at(-1)
    if (last === undefined) return ["There was no connection."]
    const items = yield* last.conversation
    const answered = items.flatMap((item) => (item.type === "function_call_output" ? item.call_id : []))
    for (const item of items) {
      if (item.type !== "function_call") continue
      const count = answered.filter((callId) => callId === item.call_id).length
      if (count !== 1) violations.push(`${item.call_id} has ${count} outputs on connection ${last.number}, the last.`)
    }
    return violations
  })

/** What the session itself said of its calls. */
const unpublished = ({ conversation, events, ran }: Trace): ReadonlyArray<string> => {
  const ended = events.flatMap((event) =>
    event._tag === "ToolSucceeded" || event._tag === "ToolFailed" ? event.call.callId : []
  )
  const started = events.flatMap((event) => (event._tag === "ToolStarted" ? event.call.callId : []))
  const answered = conversation.items.flatMap((item) => (item._tag === "FunctionCallOutput" ? item.callId : []))
  const calls = conversation.items.flatMap((item) => (item._tag === "FunctionCall" ? item : []))
  return [
    ...repeated(ended).map((callId) => `The end of ${callId} was published twice.`),
    ...started.filter((callId) => !ended.includes(callId)).map((callId) => `The end of ${callId} was never published.`),
    ...repeated(ran).map((callId) => `The handler of ${callId} ran twice.`),
    ...calls
      .filter(({ callId, status }) => status === "completed" && !answered.includes(callId))
      .map(({ callId }) => `${callId} has no output in the session's own conversation.`),
    ...events.flatMap((event) =>
      event._tag === "InputFailed" || event._tag === "EventsMissed" || event._tag === "ProtocolViolation"
        ? `The session published ${JSON.stringify(event)}`
        : []
    )
  ]
}

/** Judges a session by its trace, and by its connections, the last of which was good to the end. */
export const judge = (
  trace: Trace,
  connections: ReadonlyArray<EmbeddedRealtime.ServerConnection>
): Effect.Effect<Findings> =>
  Effect.gen(function* () {
    const refusals: Record<string, number> = {}
    for (const { refusal } of yield* Effect.map(
      Effect.forEach(connections, ({ refused }) => refused),
      (all) => all.flat()
    )) {
      const code = refusal.code ?? refusal.message
      refusals[code] = (refusals[code] ?? 0) + 1
    }
    const violations = [...unpublished(trace), ...(yield* unsettled(connections))]
    // Such a run may not be repeatable, because it depends on what the machine did at the time.
    if (violations.length > 0) {
      for (const event of trace.events) yield* Effect.sync(() => console.error(trace.name, JSON.stringify(event)))
      yield* Effect.sync(() => console.error(trace.name, JSON.stringify(trace.conversation)))
    }
    return {
      ...none,
      sessions: 1,
      connections: connections.length,
      calls: trace.events.filter(({ _tag }) => _tag === "ToolStarted").length,
      losses: trace.events.filter(({ _tag }) => _tag === "ConnectionLost").length,
      violations: violations.map((text) => `${trace.name}: ${text}`),
      refusals
    }
  })
