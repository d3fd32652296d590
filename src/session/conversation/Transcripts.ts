import { forgetOldest } from "../../machine/forgetOldest.js"

/**
 * The turns of the user that the server has not written down yet, and those that it never will: what another connection
 * would not be told in words, and what nobody can read. A move to a fresh connection waits for them, for so long.
 */
export interface Transcripts {
  /** The user has ended this turn: its item is to come. */
  readonly turnEnded: (itemId: string) => void
  /** The server made the item: its transcript is to come, if the session asked for any. */
  readonly committed: (itemId: string) => void
  /** It came, or the item is gone. */
  readonly settled: (itemId: string) => void
  /** The server could not write it down. */
  readonly failed: (itemId: string) => void
  /** `livesOn`: the server keeps the conversation, and may tell the next connection what it writes down. */
  readonly disconnected: (livesOn: boolean) => void
  readonly isIdle: () => boolean
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly now: () => number
  /** Whether the session asked for transcripts. */
  readonly isTranscribed: () => boolean
  /** The turn is in the conversation, and its words do not come. Called once for each. */
  readonly missing: (itemId: string) => void
}

/** How long a transcript, or an item, is waited for. Milliseconds. */
export const within = 10_000

/** Turns that may wait at a time: a user says fewer while a transcript takes. */
const maxAwaited = 32

interface Awaited {
  readonly what: "Item" | "Transcript"
  readonly until: number
}

export const make = ({ isTranscribed, missing, now }: Environment): Transcripts => {
  /** In the order of their times. */
  const awaited = new Map<string, Awaited>()
  /** Of which it was said that they are missing. */
  const told = new Set<string>()

  const tell = (itemId: string): void => {
    awaited.delete(itemId)
    if (told.has(itemId)) return
    told.add(itemId)
    forgetOldest(told, maxAwaited)
    missing(itemId)
  }

  /** Nobody waits for it any more. */
  const giveUp = (itemId: string, { what }: Awaited): void => {
    if (what === "Transcript") tell(itemId)
    else awaited.delete(itemId)
  }

  const begin = (itemId: string, what: Awaited["what"]): void => {
    awaited.delete(itemId)
    awaited.set(itemId, { what, until: now() + within })
    const [oldest] = awaited
    if (awaited.size > maxAwaited && oldest !== undefined) giveUp(...oldest)
  }

  return {
    turnEnded: (itemId) => begin(itemId, "Item"),
    committed: (itemId) => (isTranscribed() ? begin(itemId, "Transcript") : tell(itemId)),
    settled: (itemId) => {
      awaited.delete(itemId)
    },
    failed: tell,
    disconnected: (livesOn) => {
      if (livesOn) return
      // Due at once, and no sooner: what follows from it is for the next connection.
      for (const [itemId, { what }] of awaited) {
        if (what === "Item") awaited.delete(itemId)
        else awaited.set(itemId, { what, until: now() })
      }
    },
    isIdle: () => awaited.size === 0,
    deadline: () => awaited.values().next().value?.until,
    timePassed: () => {
      for (const [itemId, one] of awaited) {
        if (one.until > now()) return
        giveUp(itemId, one)
      }
    }
  }
}
