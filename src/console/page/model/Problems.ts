/** Everything that went wrong, as text. */
import { isFailure, type SessionEvent } from "../../../SessionEvent.js"
import type { Entry } from "./Entry.js"
import { failureOf } from "./failureOf.js"

export interface Problem {
  readonly atMs: number
  readonly title: string
  readonly message: string
}

/** The number of problems that are shown. Older ones are dropped. */
const maxProblems = 200

const messageOf = (event: SessionEvent): string => {
  if (event._tag === "ToolFailed") {
    const { message } = failureOf(event.error, event.output)
    return message.startsWith(event.call.tool) ? message : `${event.call.tool}: ${message}`
  }
  if ("message" in event && typeof event.message === "string") return event.message
  if ("call" in event) return event.call.tool
  switch (event._tag) {
    case "ResponseDone":
      return `A response ended as ${event.status}${event.reason === undefined ? "" : `: ${event.reason}`}`
    case "ResponseStalled":
      return "The model's server is silent. It is asked again."
    case "ResponseLost":
      return "A response is owed, and is not asked for again."
    case "GuardrailTripped":
      return `${event.guardrail}: ${event.feedback}`
    case "EventsMissed":
      return `${event.count} events were missed. The page goes on from a snapshot.`
    default:
      return ""
  }
}

/** The text of a failure; nothing for other events. */
export const problemOf = (entry: Entry): Problem | undefined => {
  if (entry._tag === "Problem") return { atMs: entry.atMs, title: entry.title, message: entry.message }
  if (entry._tag !== "Event" || !isFailure(entry.event)) return undefined
  const { atMs, event } = entry
  const title = event._tag === "ToolFailed" ? failureOf(event.error, event.output).name : event._tag
  return { atMs, title, message: messageOf(event) }
}

export class Problems {
  readonly #problems: Array<Problem> = []

  /** The oldest first. */
  get all(): ReadonlyArray<Problem> {
    return this.#problems
  }

  apply(entry: Entry): void {
    const problem = problemOf(entry)
    if (problem === undefined) return
    this.#problems.push(problem)
    if (this.#problems.length > maxProblems) this.#problems.shift()
  }
}
