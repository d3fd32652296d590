/**
 * The end of a call that the agent wants: after its goodbye was heard. It has no side effects. Times are in milliseconds.
 */
import { connectionLost } from "../event/connectionLost.js"
import type { ResponseCause } from "../event/ResponseEvents.js"
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

/** Whether a response was asked for because of this call. */
const isFor = (callId: string | undefined, { cause }: { readonly cause?: ResponseCause | undefined }): boolean =>
  cause?.callIds.some((one) => one === callId) ?? false

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
      case "ResponseDone": {
        const { outOfBand, reason, status } = event
        const isMeant = isFor(state.callId, event)
        // A response that failed, or was lost with its connection, is requested again, or is published as lost.
        if ((outOfBand && !isMeant) || reason === connectionLost || status === "failed") return false
        // Whatever was cancelled, also the response that made the call: somebody spoke before the goodbye was heard.
        if (status === "cancelled") {
          this.#state = talking
          return true
        }
        if (isMeant) this.#state = { ...state, isSaid: true }
        return false
      }
      case "ResponseLost":
        if (isFor(state.callId, event)) this.#state = { ...state, isSaid: true }
        return false
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
