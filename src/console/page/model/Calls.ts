/** The tool calls, from their arrival to the output that the model reads. */
import type { CallInfo } from "../../../SessionEvent.js"
import type { Entry } from "./Entry.js"
import { failureOf } from "./failureOf.js"

export type CallState =
  | { readonly _tag: "Received" }
  /** Waits for a person to approve or reject it. After this time, in milliseconds since 1970, it counts as rejected. */
  | { readonly _tag: "Waiting"; readonly deadline: number }
  | { readonly _tag: "Running"; readonly progress: string }
  /** The model has read an acknowledgement. The result follows later. */
  | { readonly _tag: "Deferred"; readonly output: string }
  | { readonly _tag: "Succeeded"; readonly output: string; readonly durationMs: number }
  | {
      readonly _tag: "Failed"
      readonly error: string
      readonly message: string
      readonly output: string | undefined
      readonly durationMs: number
    }
  /** The call was not run, because the model was cut off before the call was complete. */
  | { readonly _tag: "Abandoned" }

export interface Call {
  readonly info: CallInfo
  readonly atMs: number
  readonly state: CallState
}

/** The number of calls that are shown. Older ones are dropped. */
const maxCalls = 200

export class Calls {
  readonly #calls = new Map<string, Call>()

  /** The oldest first. */
  get all(): ReadonlyArray<Call> {
    return [...this.#calls.values()]
  }

  apply(entry: Entry): void {
    if (entry._tag !== "Event") return
    const { atMs, event } = entry
    switch (event._tag) {
      case "ToolApprovalRequested":
        this.#put(event.call, atMs, { _tag: "Waiting", deadline: event.deadline })
        return
      case "ToolApproved":
        this.#put(event.call, atMs, { _tag: "Received" })
        return
      case "ToolStarted":
        this.#put(event.call, atMs, { _tag: "Running", progress: "" })
        return
      case "ToolProgress":
        this.#put(event.call, atMs, { _tag: "Running", progress: event.message })
        return
      case "ToolDeferred":
        this.#put(event.call, atMs, { _tag: "Deferred", output: event.output })
        return
      case "ToolSucceeded": {
        const { durationMs, output } = event
        this.#put(event.call, atMs - durationMs, { _tag: "Succeeded", output, durationMs })
        return
      }
      case "ToolFailed": {
        const { durationMs, error, output } = event
        const { message, name } = failureOf(error, output)
        const state: CallState = { _tag: "Failed", error: name, message, output, durationMs }
        this.#put(event.call, atMs - durationMs, state)
        return
      }
      case "ToolCallAbandoned":
        this.#put(event.call, atMs, { _tag: "Abandoned" })
        return
      case "EventsMissed":
        for (const { call, deadline } of event.snapshot?.pendingApprovals ?? []) {
          this.#put(call, atMs, { _tag: "Waiting", deadline })
        }
        return
      default:
        return
    }
  }

  #put(info: CallInfo, atMs: number, state: CallState): void {
    this.#calls.set(info.callId, { info, atMs: this.#calls.get(info.callId)?.atMs ?? Math.max(0, atMs), state })
    if (this.#calls.size <= maxCalls) return
    for (const id of this.#calls.keys()) {
      this.#calls.delete(id)
      return
    }
  }
}
