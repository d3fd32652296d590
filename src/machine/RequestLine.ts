/**
 * The requests for a response that wait for their turn. Reasons to speak coalesce into one request; requests with
 * parameters of their own are never merged, and keep their order.
 */
import type { ResponseParams } from "../protocol/Response.js"
import * as Retry from "./Retry.js"

/** What made the session ask for a response. */
export interface Cause {
  /** Items that were put into the conversation to be answered. */
  readonly itemIds: ReadonlyArray<string>
  /** Calls whose outputs the model is to read. */
  readonly callIds: ReadonlyArray<string>
  /** The responses that made these calls, or were cut off: it goes on after them. */
  readonly responseIds: ReadonlyArray<string>
}

/** The reasons to speak that one request stands for. */
export type Request =
  | {
      readonly _tag: "Automatic"
      readonly id: string
      /** Items of ours that a response must have seen to answer this: while one is unacknowledged, none has. */
      readonly awaiting: Set<string>
    }
  /** Asked for by the application with parameters of its own. */
  | {
      readonly _tag: "Explicit"
      readonly id: string
      readonly params: ResponseParams
      /** Beside the conversation: it waits for no other response, and no other waits for it. */
      readonly outOfBand: boolean
    }

/** A request on its way to an answer. */
export interface Owed {
  readonly request: Request
  readonly reasons: { readonly [Of in keyof Cause]: Set<string> }
  /** How often it was sent. */
  sends: number
  /** It has come to stand for more than when it was first sent. */
  grown: boolean
  readonly tries: Retry.Tries
  /** Its response was cancelled, or will be: it is not asked for again, whatever becomes of this try. */
  cancelled: boolean
  /** The guardrail that it was cancelled for: whatever its response still brings is not to stand. */
  blockedBy: string | undefined
  /** It was under way and came to nothing, and nothing was asked for since that it stands for too. */
  cutOff: boolean
}

export class RequestLine {
  readonly #waiting: Array<Owed> = []

  /** One more reason to speak: it joins an automatic request that waits, or becomes one. */
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

  /** To the front: it was sent before, and has to be sent again. Reasons that wait join it. */
  addAgain(owed: Owed): void {
    if (isAutomatic(owed)) {
      const other = this.#takeFirst(isAutomatic)
      if (other !== undefined) join(owed, other)
    }
    this.#waiting.unshift(owed)
  }

  /** Takes the next that may be sent. `automatic`: whether requests of the session's own may be. */
  takeNext(now: number, automatic: boolean): Owed | undefined {
    return this.#takeFirst(
      (owed) => owed.tries.notBefore <= now && !isBeside(owed) && (automatic || owed.request._tag === "Explicit")
    )
  }

  /** Takes the next beside the conversation that may be sent. */
  takeBeside(now: number): Owed | undefined {
    return this.#takeFirst((owed) => owed.tries.notBefore <= now && isBeside(owed))
  }

  /** Takes the automatic request whose items the server has all acknowledged, if there is one. */
  takeCovered(): Owed | undefined {
    return this.#takeFirst(isCovered)
  }

  /** Takes a request that an earlier try of it turns out to have answered. */
  takeTried(requestId: string): Owed | undefined {
    return this.#takeFirst((owed) => owed.sends > 0 && isAnsweredBy(owed, requestId))
  }

  /** Takes what is to be tried again after it was cut off: nobody wants it any more. */
  takeCutOff(): ReadonlyArray<Owed> {
    return this.#takeAll(({ cutOff }) => cutOff)
  }

  /** Takes what the application asked for to have this item answered. */
  takeAsked(itemId: string): ReadonlyArray<Owed> {
    return this.#takeAll((owed) => owed.request._tag === "Explicit" && owed.reasons.itemIds.has(itemId))
  }

  /** Takes what waits beside the conversation, for a connection or for another try, and is such a request. */
  takeUnwantedBeside(isUnwanted: (owed: Owed) => boolean): ReadonlyArray<Owed> {
    return this.#takeAll((owed) => isBeside(owed) && isUnwanted(owed))
  }

  /** Takes this one, if it still waits. */
  take(owed: Owed): Owed | undefined {
    return this.#takeFirst((other) => other === owed)
  }

  acknowledge(itemId: string): void {
    for (const owed of this.#waiting) acknowledge(owed, itemId)
  }

  /** Another connection is given other items, so what was not acknowledged never will be; and it has refused nothing. */
  connectionLost(): void {
    for (const { request, tries } of this.#waiting) {
      if (request._tag === "Automatic") request.awaiting.clear()
      Retry.forgive(tries)
    }
  }

  /** When the next request that is put off may be sent. */
  nextTime(now: number): number {
    return this.#waiting.reduce(
      (earliest, { tries: { notBefore } }) => (notBefore > now ? Math.min(earliest, notBefore) : earliest),
      Number.POSITIVE_INFINITY
    )
  }

  /** How many requests of the application's own wait. */
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

/** As it is now; absent where it has no name: a turn that the user spoke, or a wish of the application's. */
export const causeOf = ({ reasons }: Owed): Cause | undefined =>
  reasons.itemIds.size + reasons.callIds.size + reasons.responseIds.size === 0
    ? undefined
    : {
        itemIds: Array.from(reasons.itemIds),
        callIds: Array.from(reasons.callIds),
        responseIds: Array.from(reasons.responseIds)
      }

export const isAutomatic = ({ request }: Owed): boolean => request._tag === "Automatic"

/** One request stands for both. */
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

/** Whether its response is beside the conversation. */
export const isBeside = ({ request }: Owed): boolean => request._tag === "Explicit" && request.outOfBand

/** Counts one more try of the request, and names the event that carries it. */
export const nextEventId = (owed: Owed): string => {
  owed.sends += 1
  const { id } = owed.request
  return owed.sends === 1 ? id : `${id}~${owed.sends}`
}

/** The request that an event carried: further tries carry the same request under other ids. */
export const requestOf = (eventId: string): string => eventId.replace(/~\d+$/, "")

/** Whether a response that begins now has seen everything that the request is about. */
export const isCovered = ({ request }: Owed): boolean => request._tag === "Automatic" && request.awaiting.size === 0

/** An earlier try answers a request, unless that has come to stand for more since. */
export const isAnsweredBy = ({ grown, request }: Owed, requestId: string): boolean => request.id === requestId && !grown

/** The server has this item of ours. */
export const acknowledge = ({ request }: Owed, itemId: string): void => {
  if (request._tag === "Automatic") request.awaiting.delete(itemId)
}
