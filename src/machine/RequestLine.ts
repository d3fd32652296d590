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
  /** It was under way and came to nothing, and nothing was asked for since that it stands for too. */
  cutOff: boolean
}

export interface RequestLine {
  /** One more reason to speak: it joins an automatic request that waits, or becomes one. */
  readonly ask: (id: string, awaiting: ReadonlyArray<string>, cause?: Partial<Cause>, cutOff?: boolean) => void
  readonly add: (owed: Owed) => void
  /** To the front: it was sent before, and has to be sent again. Reasons that wait join it. */
  readonly addAgain: (owed: Owed) => void
  /** Takes the next that may be sent. `automatic`: whether requests of the session's own may be. */
  readonly takeNext: (now: number, automatic: boolean) => Owed | undefined
  /** Takes the next beside the conversation that may be sent. */
  readonly takeBeside: (now: number) => Owed | undefined
  /** Takes the automatic request whose items the server has all acknowledged, if there is one. */
  readonly takeCovered: () => Owed | undefined
  /** Takes a request that an earlier try of it turns out to have answered. */
  readonly takeTried: (requestId: string) => Owed | undefined
  /** Takes what is to be tried again after it was cut off: nobody wants it any more. */
  readonly takeCutOff: () => ReadonlyArray<Owed>
  /** Takes what waits beside the conversation, for a connection or for another try, and is such a request. */
  readonly takeUnwantedBeside: (isUnwanted: (owed: Owed) => boolean) => ReadonlyArray<Owed>
  /** Takes this one, if it still waits. */
  readonly take: (owed: Owed) => Owed | undefined
  readonly acknowledge: (itemId: string) => void
  /** Another connection is given other items, so what was not acknowledged never will be; and it has refused nothing. */
  readonly connectionLost: () => void
  /** When the next request that is put off may be sent. */
  readonly nextTime: (now: number) => number
  /** How many requests of the application's own wait. */
  readonly explicitCount: () => number
  readonly all: () => ReadonlyArray<Owed>
  readonly isEmpty: () => boolean
}

export const make = (): RequestLine => {
  const waiting: Array<Owed> = []

  const takeFirst = (isWanted: (owed: Owed) => boolean): Owed | undefined => {
    const index = waiting.findIndex(isWanted)
    return index < 0 ? undefined : waiting.splice(index, 1)[0]
  }

  const takeAll = (isWanted: (owed: Owed) => boolean): ReadonlyArray<Owed> => {
    const taken = waiting.filter(isWanted)
    for (const owed of taken) waiting.splice(waiting.indexOf(owed), 1)
    return taken
  }

  return {
    ask: (id, awaiting, cause, cutOff = false) => {
      const asked = owe({ _tag: "Automatic", id, awaiting: new Set(awaiting) }, cause)
      asked.cutOff = cutOff
      const owed = waiting.find(isAutomatic)
      if (owed === undefined) waiting.push(asked)
      else join(owed, asked)
    },
    add: (owed) => waiting.push(owed),
    addAgain: (owed) => {
      if (isAutomatic(owed)) {
        const other = takeFirst(isAutomatic)
        if (other !== undefined) join(owed, other)
      }
      waiting.unshift(owed)
    },
    takeNext: (now, automatic) =>
      takeFirst(
        (owed) => owed.tries.notBefore <= now && !isBeside(owed) && (automatic || owed.request._tag === "Explicit")
      ),
    takeBeside: (now) => takeFirst((owed) => owed.tries.notBefore <= now && isBeside(owed)),
    takeCovered: () => takeFirst(isCovered),
    takeTried: (requestId) => takeFirst((owed) => owed.sends > 0 && isAnsweredBy(owed, requestId)),
    takeCutOff: () => takeAll(({ cutOff }) => cutOff),
    takeUnwantedBeside: (isUnwanted) => takeAll((owed) => isBeside(owed) && isUnwanted(owed)),
    take: (owed) => takeFirst((other) => other === owed),
    acknowledge: (itemId) => {
      for (const owed of waiting) acknowledge(owed, itemId)
    },
    connectionLost: () => {
      for (const { request, tries } of waiting) {
        if (request._tag === "Automatic") request.awaiting.clear()
        Retry.forgive(tries)
      }
    },
    nextTime: (now) =>
      waiting.reduce(
        (earliest, { tries: { notBefore } }) => (notBefore > now ? Math.min(earliest, notBefore) : earliest),
        Number.POSITIVE_INFINITY
      ),
    explicitCount: () => waiting.filter(({ request }) => request._tag === "Explicit").length,
    all: () => waiting,
    isEmpty: () => waiting.length === 0
  }
}

export const owe = (request: Request, { callIds, itemIds, responseIds }: Partial<Cause> = {}): Owed => ({
  request,
  reasons: { itemIds: new Set(itemIds), callIds: new Set(callIds), responseIds: new Set(responseIds) },
  sends: 0,
  grown: false,
  tries: Retry.none(),
  cancelled: false,
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
