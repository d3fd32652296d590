/**
 * The end of a call that the agent wants: after its goodbye was heard. It has no side effects. Times are in milliseconds.
 */
import { connectionLost } from "../event/connectionLost.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { Departure } from "./Departure.js"

/** `Leaving`: the model was asked to say goodbye. `isSaid`: it has, but the caller may not have heard all of it. */
type State =
  | { readonly _tag: "Talking" }
  | {
      readonly _tag: "Leaving"
      readonly departure: Departure
      readonly callId: string | undefined
      readonly until: number
      readonly isSaid: boolean
    }

const talking: State = { _tag: "Talking" }

export class Goodbye {
  #state: State = talking

  /** @param patienceMs how long the goodbye may take, until it was heard */
  constructor(private readonly patienceMs: number) {}

  /** @param callId the call of the tool, whose answer is the goodbye; absent if the agent has said it */
  request(departure: Departure, callId: string | undefined, now: number): void {
    const until = now + this.patienceMs
    this.#state = { _tag: "Leaving", departure, callId, until, isSaid: callId === undefined }
  }

  /** Returns whether the goodbye was interrupted: then the call goes on. */
  published(event: SessionEvent): boolean {
    const state = this.#state
    if (state._tag === "Talking") return false
    switch (event._tag) {
      case "AudioInterrupted":
        this.#state = talking
        return true
      case "ResponseDone":
      case "ResponseLost": {
        const isMeant = event.cause?.callIds.some((callId) => callId === state.callId) ?? false
        const status = event._tag === "ResponseLost" ? "lost" : event.status
        const isCutOff = event._tag === "ResponseDone" && event.reason === connectionLost
        // A response that failed, or was lost with its connection, is requested again, or is published as lost.
        if (!isMeant || isCutOff || status === "failed") return false
        this.#state = status === "cancelled" ? talking : { ...state, isSaid: true }
        return status === "cancelled"
      }
      default:
        return false
    }
  }

  /** What to do now, if it is time to go. It is then no longer asked for. */
  leave(isQuiet: boolean, now: number): Departure | undefined {
    const state = this.#state
    if (state._tag === "Talking" || (now < state.until && !(state.isSaid && isQuiet))) return undefined
    this.#state = talking
    return state.departure
  }

  deadline(): number | undefined {
    return this.#state._tag === "Leaving" ? this.#state.until : undefined
  }
}
