/** Whether a turn is over: every call is answered, and the model has said what it had to say about the answers. */
import type { SessionEvent } from "effect-realtime"

export interface Progress {
  /** The model is expected to begin. */
  readonly owed: boolean
  readonly responses: ReadonlySet<string>
  readonly calls: ReadonlySet<string>
  readonly ended: boolean
}

export const idle: Progress = { owed: false, responses: new Set(), calls: new Set(), ended: false }

/** The guest said something. */
export const begin = (progress: Progress): Progress => ({ ...progress, owed: true })

export const isOver = ({ calls, ended, owed, responses }: Progress): boolean =>
  ended || (!owed && responses.size === 0 && calls.size === 0)

const add = (set: ReadonlySet<string>, id: string): ReadonlySet<string> => new Set(set).add(id)

const remove = (set: ReadonlySet<string>, id: string): ReadonlySet<string> => {
  const rest = new Set(set)
  rest.delete(id)
  return rest
}

export const follow = (progress: Progress, event: SessionEvent.SessionEvent): Progress => {
  switch (event._tag) {
    case "ResponseStarted":
      return { ...progress, owed: false, responses: add(progress.responses, event.responseId) }
    case "ResponseDone":
      return { ...progress, responses: remove(progress.responses, event.responseId) }
    case "ItemAdded":
      return event.item._tag === "FunctionCall"
        ? { ...progress, calls: add(progress.calls, event.item.callId) }
        : progress
    case "ToolSucceeded":
      return { ...progress, owed: true, calls: remove(progress.calls, event.call.callId) }
    case "ToolFailed": {
      const asks = event.output !== undefined
      return { ...progress, owed: progress.owed || asks, calls: remove(progress.calls, event.call.callId) }
    }
    case "ToolCallAbandoned":
      return { ...progress, calls: remove(progress.calls, event.call.callId) }
    case "ResponseLost":
    case "ResponseRefused":
      return { ...progress, owed: false, responses: new Set() }
    case "SessionEnded":
      return { ...progress, ended: true }
    default:
      return progress
  }
}
