/**
 * The requests for a response that wait for their turn. Requests without parameters coalesce into one. Requests with
 * parameters are never merged, and keep their order.
 */
import type { ResponseParams } from "../protocol/Response.js"
import * as Retry from "./Retry.js"

/** What made the session ask for a response. */
export interface Cause {
  /** Items that were added to the conversation to be answered. */
  readonly itemIds: ReadonlyArray<string>
  /** Calls whose outputs the model must read. */
  readonly callIds: ReadonlyArray<string>
  /** The responses that made these calls, or were cut off: this one goes on after them. */
  readonly responseIds: ReadonlyArray<string>
}

/** A request for a response. */
export type Request =
  | {
      readonly _tag: "Automatic"
      readonly id: string
      /**
       * Items of the session that a response must have seen to answer this request: no response has, while one of them
       * is unacknowledged.
       */
      readonly awaiting: Set<string>
    }
  /** Requested by the application, with parameters. */
  | {
      readonly _tag: "Explicit"
      readonly id: string
      readonly params: ResponseParams
      /** An out-of-band request does not wait for other responses, and others do not wait for it. */
      readonly outOfBand: boolean
    }

/** A request that was not answered yet. */
export interface Owed {
  readonly request: Request
  readonly reasons: { readonly [Of in keyof Cause]: Set<string> }
  /** How often it was sent. */
  sends: number
  /** Whether other requests were merged into it after it was first sent. */
  grown: boolean
  readonly tries: Retry.Tries
  /** Whether its response was or will be cancelled: it is not requested again, however this attempt ends. */
  cancelled: boolean
  /** The guardrail that cancelled it: whatever its response still brings is stopped too. */
  blockedBy: string | undefined
  /** Whether it was requested and failed, and no later request was merged into it. */
  cutOff: boolean
}

export class RequestLine {
  readonly #waiting: Array<Owed> = []

  /** Adds a reason for a response: it joins a waiting automatic request, or becomes one. */
  ask(id: string, awaiting: ReadonlyArray<string>, cause?: Partial<Cause>, cutOff = false): void {
    const asked = owe({ _tag: "Automatic", id, awaiting: new Set(awaiting) }, cause)
    asked.cutOff = cutOff
    const owed = this.#waiting.find(isAutomatic)
    if (owed === undefined) this.#waiting.push(asked)
    else join(owed, asked)
  }

  add(owed: Owed): void {
    this.#waiting.push(owed)
  }

  /** Adds it to the front: it was sent before, and must be sent again. Waiting automatic requests join it. */
  addAgain(owed: Owed): void {
    if (isAutomatic(owed)) {
      const other = this.#takeFirst(isAutomatic)
      if (other !== undefined) join(owed, other)
    }
    this.#waiting.unshift(owed)
  }

  /** Takes the next request that may be sent. `automatic`: whether the session's own requests may be sent. */
  takeNext(now: number, automatic: boolean): Owed | undefined {
    return this.#takeFirst(
      (owed) => owed.tries.notBefore <= now && !isBeside(owed) && (automatic || owed.request._tag === "Explicit")
    )
  }

  /** Takes the next out-of-band request that may be sent. */
  takeBeside(now: number): Owed | undefined {
    return this.#takeFirst((owed) => owed.tries.notBefore <= now && isBeside(owed))
  }

  /** Takes the automatic request if the server has acknowledged all of its items. */
  takeCovered(): Owed | undefined {
    return this.#takeFirst(isCovered)
  }

  /** Takes a request that an earlier attempt has answered after all. */
  takeTried(requestId: string): Owed | undefined {
    return this.#takeFirst((owed) => owed.sends > 0 && isAnsweredBy(owed, requestId))
  }

  /** Takes the requests that were cut off and would be retried, because nobody wants them any more. */
  takeCutOff(): ReadonlyArray<Owed> {
    return this.#takeAll(({ cutOff }) => cutOff)
  }

  /** Takes the application's requests to have this item answered. */
  takeAsked(itemId: string): ReadonlyArray<Owed> {
    return this.#takeAll((owed) => owed.request._tag === "Explicit" && owed.reasons.itemIds.has(itemId))
  }

  /** Takes the unwanted out-of-band requests that wait for a connection or for a retry. */
  takeUnwantedBeside(isUnwanted: (owed: Owed) => boolean): ReadonlyArray<Owed> {
    return this.#takeAll((owed) => isBeside(owed) && isUnwanted(owed))
  }

  /** Takes this request, if it still waits. */
  take(owed: Owed): Owed | undefined {
    return this.#takeFirst((other) => other === owed)
  }

  acknowledge(itemId: string): void {
    for (const owed of this.#waiting) acknowledge(owed, itemId)
  }

  /**
   * Another connection gets other items, so unacknowledged items are never acknowledged; and it has not refused
   * anything.
   */
  connectionLost(): void {
    for (const { request, tries } of this.#waiting) {
      if (request._tag === "Automatic") request.awaiting.clear()
      Retry.forgive(tries)
    }
  }

  /** When the next delayed request may be sent. */
  nextTime(now: number): number {
    return this.#waiting.reduce(
      (earliest, { tries: { notBefore } }) => (notBefore > now ? Math.min(earliest, notBefore) : earliest),
      Number.POSITIVE_INFINITY
    )
  }

  /** How many requests of the application wait. */
  explicitCount(): number {
    return this.#waiting.filter(({ request }) => request._tag === "Explicit").length
  }

  all(): ReadonlyArray<Owed> {
    return this.#waiting
  }

  isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  #takeFirst(isWanted: (owed: Owed) => boolean): Owed | undefined {
    const index = this.#waiting.findIndex(isWanted)
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0]
  }

  #takeAll(isWanted: (owed: Owed) => boolean): ReadonlyArray<Owed> {
    const taken = this.#waiting.filter(isWanted)
    for (const owed of taken) this.#waiting.splice(this.#waiting.indexOf(owed), 1)
    return taken
  }
}

export const owe = (request: Request, { callIds, itemIds, responseIds }: Partial<Cause> = {}): Owed => ({
  request,
  reasons: { itemIds: new Set(itemIds), callIds: new Set(callIds), responseIds: new Set(responseIds) },
  sends: 0,
  grown: false,
  tries: Retry.none(),
  cancelled: false,
  blockedBy: undefined,
  cutOff: false
})

/** The current cause; absent if it has no ids, such as a spoken turn or a request of the application. */
export const causeOf = ({ reasons }: Owed): Cause | undefined =>
  reasons.itemIds.size + reasons.callIds.size + reasons.responseIds.size === 0
    ? undefined
    : {
        itemIds: Array.from(reasons.itemIds),
        callIds: Array.from(reasons.callIds),
        responseIds: Array.from(reasons.responseIds)
      }

export const isAutomatic = ({ request }: Owed): boolean => request._tag === "Automatic"

/** Merges two requests into one. */
export const join = (owed: Owed, other: Owed): void => {
  if (owed.request._tag !== "Automatic" || other.request._tag !== "Automatic") return
  for (const itemId of other.request.awaiting) owed.request.awaiting.add(itemId)
  for (const itemId of other.reasons.itemIds) owed.reasons.itemIds.add(itemId)
  for (const callId of other.reasons.callIds) owed.reasons.callIds.add(callId)
  for (const responseId of other.reasons.responseIds) owed.reasons.responseIds.add(responseId)
  owed.grown ||= owed.sends > 0
  owed.cutOff &&= other.cutOff
  Retry.join(owed.tries, other.tries)
}

/** Whether its response is out-of-band. */
export const isBeside = ({ request }: Owed): boolean => request._tag === "Explicit" && request.outOfBand

/** Counts one more attempt of the request, and names the event that carries it. */
export const nextEventId = (owed: Owed): string => {
  owed.sends += 1
  const { id } = owed.request
  return owed.sends === 1 ? id : `${id}~${owed.sends}`
}

/** The request that an event carried: retries carry the same request under other ids. */
export const requestOf = (eventId: string): string => eventId.replace(/~\d+$/, "")

/** Whether a response that begins now has seen everything that the request is about. */
export const isCovered = ({ request }: Owed): boolean => request._tag === "Automatic" && request.awaiting.size === 0

/** Whether an earlier attempt answers the request: not if other requests were merged into it since. */
export const isAnsweredBy = ({ grown, request }: Owed, requestId: string): boolean => request.id === requestId && !grown

/** The server has this item of the session. */
export const acknowledge = ({ request }: Owed, itemId: string): void => {
  if (request._tag === "Automatic") request.awaiting.delete(itemId)
}
