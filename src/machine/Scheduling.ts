/** What the scheduler of responses hears, and what it wants done. */
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
   * `eventId`: that of our request, as it came back in the metadata; absent for a response that is not ours. `presumed`:
   * the server said nothing of whose it is, and this is the best guess.
   */
  | {
      readonly _tag: "ResponseCreated"
      readonly responseId: string
      readonly eventId: string | undefined
      readonly outOfBand: boolean
      readonly presumed: boolean
    }
  | { readonly _tag: "ResponseProgressed"; readonly responseId: string }
  | {
      readonly _tag: "ResponseDone"
      readonly responseId: string | undefined
      /** Of which request it was, as its metadata says; absent where there is none. */
      readonly whose: { readonly eventId: string | undefined } | undefined
      /** It failed for such a reason: worth another try if the response was owed. */
      readonly failed: Passing | undefined
      /** Its rest will be asked for by somebody else. */
      readonly carriedOn: boolean
    }
  /** An `error` that names an event of ours. */
  | { readonly _tag: "Refused"; readonly eventId: string; readonly refusal: Refusal }
  | { readonly _tag: "SpeechStarted" }
  | { readonly _tag: "SpeechStopped" }
  /** The server makes a turn of the silence of a user who says nothing. */
  | { readonly _tag: "IdleTimedOut" }
  /** What the user said, and is no item yet, is dropped. */
  | { readonly _tag: "SpeechCleared" }
  /** What the user said is an item. `id`: of the request for an answer, should the server not give one by itself. */
  | { readonly _tag: "TurnCommitted"; readonly id: string }
  /**
   * What is active or outstanding is cancelled, and not asked for again after a stall, a collision or a failure; nor is
   * what was so when the connection was lost, or waits for another try. What still waits for its turn stays: the model
   * must go on once it has the outputs that it asked for. What speaks beside the conversation, or waits to, stops as well.
   */
  | { readonly _tag: "Interrupted" }
  /**
   * As `Interrupted`, of what answers this item of the user's: these responses, what is on its way and has not begun, and a
   * request for nothing else. `blockedBy`: the guardrail that wants it so.
   */
  | {
      readonly _tag: "Withdrawn"
      readonly itemId: string
      readonly responseIds: ReadonlySet<string>
      readonly blockedBy: string
    }
  /** The user breaks in. The server stops what it says in the conversation, and what speaks beside that must stop too. */
  | { readonly _tag: "BesideInterrupted" }
  /** This one response, and no other, must stop. */
  | { readonly _tag: "Condemned"; readonly responseId: string }
  /** `carriedOn`: of the responses that have been silent for too long, those whose rest will be asked for by somebody else. */
  | { readonly _tag: "TimePassed"; readonly carriedOn: ReadonlySet<string> }
  /**
   * What was outstanding or active died with the connection; what is owed is kept for the next, and so is an answer to
   * the user that the server began by itself. `id`: of the request for that. `carriedOn`: as above.
   */
  | {
      readonly _tag: "ConnectionLost"
      readonly id: string
      readonly carriedOn: ReadonlySet<string>
      /** The server goes on with what it has begun, and answers the user. */
      readonly livesOn?: boolean
    }
  | { readonly _tag: "Reconnected" }

export type Command =
  | { readonly _tag: "Create"; readonly eventId: string; readonly params: ResponseParams | undefined }
  | { readonly _tag: "Cancel"; readonly responseId: string }
  /** The server was silent. */
  | ({ readonly _tag: "Stalled" } & Unanswered)
  /** It is owed, or the application asked for it, and nothing comes of it any more. */
  | ({
      readonly _tag: "Lost"
      /** Somebody stopped it: it was not to be had. */
      readonly interrupted: boolean
    } & Unanswered)
  /** `retryIn`: milliseconds until it is tried again; absent where it is not. */
  | {
      readonly _tag: "RequestFailed"
      readonly requestId: string
      readonly retryIn: number | undefined
      readonly cause: Cause | undefined
    }
  | { readonly _tag: "Collided"; readonly requestId: string }

export interface Unanswered {
  readonly requestId: string | undefined
  /** Absent where the server never began one. */
  readonly responseId: string | undefined
  readonly cause: Cause | undefined
}
