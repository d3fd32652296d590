/** The inputs and commands of the response scheduler. */
import type { ResponseParams } from "../protocol/Response.js"
import type { Cause } from "./RequestLine.js"
import type { Passing } from "./Retry.js"

export type Refusal =
  /** Another response is active. */
  { readonly _tag: "Collision" } | ({ readonly _tag: "Passing" } & Passing) | { readonly _tag: "Final" }

export type Input =
  | {
      readonly _tag: "Asked"
      readonly id: string
      readonly awaiting: ReadonlyArray<string>
      readonly cause?: Partial<Cause>
    }
  | {
      readonly _tag: "AskedExplicitly"
      readonly id: string
      readonly params: ResponseParams
      readonly outOfBand: boolean
      readonly cause?: Partial<Cause>
    }
  | { readonly _tag: "ItemAcknowledged"; readonly itemId: string }
  /**
   * `eventId`: the id of the session's request, as returned in the metadata; absent for responses to other requests.
   * `presumed`: the server did not say which request the response answers, and this is the best guess. `unseen`: nobody
   * saw it begin, so it may have begun before anything else that is known.
   */
  | {
      readonly _tag: "ResponseCreated"
      readonly responseId: string
      readonly eventId: string | undefined
      readonly outOfBand: boolean
      readonly presumed: boolean
      readonly unseen?: boolean
    }
  /** `silentUntil`: until then, it may be silent although it goes on. */
  | { readonly _tag: "ResponseProgressed"; readonly responseId: string; readonly silentUntil?: number | undefined }
  | {
      readonly _tag: "ResponseDone"
      readonly responseId: string | undefined
      /** The request that it answers, according to its metadata; absent if there is none. */
      readonly whose: { readonly eventId: string | undefined } | undefined
      /** It failed for a temporary reason: retry it if the response was owed. */
      readonly failed: Passing | undefined
      /** The rest of it will be requested separately. */
      readonly carriedOn: boolean
    }
  /** An `error` that names an event of the session. */
  | { readonly _tag: "Refused"; readonly eventId: string; readonly refusal: Refusal }
  | { readonly _tag: "SpeechStarted" }
  | { readonly _tag: "SpeechStopped" }
  /** The server treats the user's silence as a turn. */
  | { readonly _tag: "IdleTimedOut" }
  /** Speech that has not become an item yet is dropped. */
  | { readonly _tag: "SpeechCleared" }
  /**
   * The model took its calls back: the server answers what made it do so, which nobody may have heard of yet. `id`: the
   * id of the request for an answer, if the server does not give one by itself.
   */
  | { readonly _tag: "CallsTakenBack"; readonly id: string }
  /**
   * The user's speech is now an item. `id`: the id of the request for an answer, if the server does not give one by
   * itself.
   */
  | { readonly _tag: "TurnCommitted"; readonly id: string }
  /**
   * Cancels what is active or requested. It is not requested again after a stall, a collision or a failure; nor is what
   * was active or requested when the connection was lost, or waits for a retry. Requests that still wait for their turn
   * stay: the model must go on once it has the outputs that it asked for. Out-of-band speech, in progress or waiting,
   * stops as well.
   */
  | { readonly _tag: "Interrupted" }
  /**
   * Like `Interrupted`, but only for what answers this item of the user: these responses, requests whose response has
   * not begun, and requests only for this item. `blockedBy`: the guardrail that stops it.
   */
  | {
      readonly _tag: "Withdrawn"
      readonly itemId: string
      readonly responseIds: ReadonlySet<string>
      readonly blockedBy: string
    }
  /** The user interrupts. The server stops speaking in the conversation, and out-of-band speech must stop too. */
  | { readonly _tag: "BesideInterrupted" }
  /** This response, and no other, must stop. */
  | { readonly _tag: "Condemned"; readonly responseId: string }
  /** `carriedOn`: the responses that have been silent for too long, and whose rest will be requested separately. */
  | { readonly _tag: "TimePassed"; readonly carriedOn: ReadonlySet<string> }
  /**
   * What was requested or active was lost with the connection. What is owed is kept for the next one, including an
   * answer to the user that the server began by itself. `id`: the id of the request for that. `carriedOn`: as above.
   */
  | {
      readonly _tag: "ConnectionLost"
      readonly id: string
      readonly carriedOn: ReadonlySet<string>
      /** Whether the server finishes what it has begun, and answers the user. */
      readonly livesOn?: boolean
    }
  /** Nothing is requested until `Reconnected`. */
  | { readonly _tag: "Paused" }
  | { readonly _tag: "Reconnected" }
  /** `isHeld` may have changed. */
  | { readonly _tag: "Released" }

export type Command =
  | { readonly _tag: "Create"; readonly eventId: string; readonly params: ResponseParams | undefined }
  | { readonly _tag: "Cancel"; readonly responseId: string }
  /** The server was silent. */
  | ({ readonly _tag: "Stalled" } & Unanswered)
  /** It is owed, or the application requested it, but it will not come any more. */
  | ({
      readonly _tag: "Lost"
      /** Whether somebody stopped it. */
      readonly interrupted: boolean
    } & Unanswered)
  /** `retryIn`: milliseconds until the retry; absent if there is none. */
  | {
      readonly _tag: "RequestFailed"
      readonly requestId: string
      readonly retryIn: number | undefined
      readonly cause: Cause | undefined
    }

export interface Unanswered {
  readonly requestId: string | undefined
  /** Absent if the server never began one. */
  readonly responseId: string | undefined
  readonly cause: Cause | undefined
}
