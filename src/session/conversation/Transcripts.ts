/**
 * The turns of the user that the server has not written down yet: what another connection would not be told in words. A
 * move to a fresh connection waits for them, for so long.
 */
export interface Transcripts {
  /** The user has ended this turn: its item is to come. */
  readonly turnEnded: (itemId: string) => void
  /** The server made the item: its transcript is to come, if the session asked for any. */
  readonly committed: (itemId: string) => void
  /** It came, or will not come. */
  readonly settled: (itemId: string) => void
  readonly disconnected: () => void
  readonly isIdle: () => boolean
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly now: () => number
  /** Whether the session asked for transcripts. */
  readonly isTranscribed: () => boolean
}

/** How long a transcript, or an item, is waited for. Milliseconds. */
export const within = 10_000

export const make = ({ isTranscribed, now }: Environment): Transcripts => {
  /** Since when, in the order of their times. */
  const awaited = new Map<string, number>()

  const settled = (itemId: string): void => {
    awaited.delete(itemId)
  }

  const begin = (itemId: string): void => {
    awaited.delete(itemId)
    awaited.set(itemId, now())
  }

  return {
    turnEnded: begin,
    committed: (itemId) => (isTranscribed() ? begin(itemId) : settled(itemId)),
    settled,
    disconnected: () => awaited.clear(),
    isIdle: () => awaited.size === 0,
    deadline: () => {
      for (const since of awaited.values()) return since + within
      return undefined
    },
    timePassed: () => {
      for (const [itemId, since] of awaited) {
        if (now() - since < within) return
        awaited.delete(itemId)
      }
    }
  }
}
