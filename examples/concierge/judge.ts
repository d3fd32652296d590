/**
 * Whether the session kept its word, told from both ends: what the server recorded, and what the application heard.
 * Neither is asked about the other.
 */
import type { SessionEvent } from "effect-realtime"

/** What the server has of the calls that the model completed, and of the outputs that it got for them. */
export interface ServerRecord {
  readonly calls: ReadonlyArray<{ readonly callId: string; readonly name: string }>
  readonly outputs: ReadonlyArray<{ readonly callId: string; readonly output: string }>
}

export interface Verdict {
  readonly calls: number
  readonly answered: number
  /** Outputs on the server that report a failure. */
  readonly failures: number
  /** Of those, the ones that were published as a typed event. */
  readonly published: number
  readonly responses: number
  /** Empty if the session kept its word. */
  readonly problems: ReadonlyArray<string>
}

type Settled = Extract<SessionEvent.SessionEvent, { readonly _tag: "ToolSucceeded" | "ToolFailed" }>

const isSettled = (event: SessionEvent.SessionEvent): event is Settled =>
  event._tag === "ToolSucceeded" || event._tag === "ToolFailed"

export const judge = (server: ServerRecord, events: ReadonlyArray<SessionEvent.SessionEvent>): Verdict => {
  const problems: Array<string> = []
  const settled = events.filter(isSettled)
  let answered = 0
  let failures = 0
  let published = 0

  for (const { callId, name } of server.calls) {
    const outputs = server.outputs.filter((output) => output.callId === callId)
    const ends = settled.filter((event) => event.call.callId === callId)
    const call = `${name} (${callId})`
    if (outputs.length === 1) answered += 1
    else problems.push(`The model got ${outputs.length} outputs for ${call}, not one.`)
    if (ends.length !== 1) problems.push(`${call} ended ${ends.length} times in the session's events, not once.`)

    const [output] = outputs
    const [end] = ends
    const failed = output !== undefined && tellsOfFailure(output.output)
    if (failed) failures += 1
    if (failed && end?._tag === "ToolFailed") published += 1
    if (failed && end?._tag !== "ToolFailed") problems.push(`The failure of ${call} was not published.`)
    if (!failed && output !== undefined && end?._tag === "ToolFailed") {
      problems.push(`${call} failed, and the model was told otherwise.`)
    }
    if (output !== undefined && end !== undefined && end.output !== output.output) {
      problems.push(`The event of ${call} names another output than the one that the model got.`)
    }
  }
  const known = new Set(server.calls.map(({ callId }) => callId))
  for (const { callId } of server.outputs) {
    if (!known.has(callId)) problems.push(`There is an output for ${callId}, which nobody called.`)
  }
  for (const event of events) {
    const started = event._tag === "ToolStarted" ? event.call : undefined
    if (started !== undefined && !settled.some(({ call }) => call.callId === started.callId)) {
      problems.push(`${started.tool} (${started.callId}) was started and never ended.`)
    }
    if (event._tag === "EventsMissed") problems.push(`${event.count} events were missed.`)
    if (event._tag === "SessionEnded" && event.error !== undefined)
      problems.push(`The session failed: ${event.error._tag}.`)
    if (event._tag === "ResponseLost") problems.push("A response that the model owed was lost.")
  }
  const responses = events.filter((event) => event._tag === "ResponseDone").length
  return { calls: server.calls.length, answered, failures, published, responses, problems }
}

/** `{"error": {"type": …}}`: how a failure is written for the model. */
const tellsOfFailure = (output: string): boolean => {
  try {
    const value: unknown = JSON.parse(output)
    return (
      typeof value === "object" &&
      value !== null &&
      "error" in value &&
      typeof value.error === "object" &&
      value.error !== null &&
      "type" in value.error
    )
  } catch {
    return false
  }
}
