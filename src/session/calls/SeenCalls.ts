import { forgetOldest } from "../../machine/forgetOldest.js"
import type { FunctionCallItem } from "../../protocol/Item.js"

/**
 * What was heard of which calls: a response lists its calls again at its end, and a server may send one any number of
 * times. Each is to be run once, and what is said of it is said once.
 */
export interface SeenCalls {
  readonly arrived: (item: FunctionCallItem, responseId: string | undefined) => void
  readonly hasArrived: (item: FunctionCallItem, responseId: string | undefined) => boolean
  /** Whether this is the first that is heard of the call, and it was cut off. */
  readonly abandoned: (item: FunctionCallItem, responseId: string | undefined) => boolean
  /** Whether the call comes a second time, and not a third. */
  readonly repeated: (callId: string, responseId: string | undefined) => boolean
}

/** Far more calls than one response makes. */
const maxRemembered = 256

export const make = (): SeenCalls => {
  const arrived = new Set<string>()
  const abandoned = new Set<string>()
  const repeated = new Set<string>()

  /** Whether it was not there. */
  const add = (keys: Set<string>, key: string): boolean => {
    if (keys.has(key)) return false
    keys.add(key)
    forgetOldest(keys, maxRemembered)
    return true
  }

  return {
    arrived: (item, responseId) => {
      add(arrived, keyOf(item, responseId))
    },
    hasArrived: (item, responseId) => arrived.has(keyOf(item, responseId)),
    abandoned: (item, responseId) => {
      const key = keyOf(item, responseId)
      return !arrived.has(key) && add(abandoned, key)
    },
    repeated: (callId, responseId) => add(repeated, JSON.stringify([responseId, callId]))
  }
}

/** A call id alone does not do: some servers count them anew in each response. */
const keyOf = ({ call_id, id }: FunctionCallItem, responseId: string | undefined): string =>
  JSON.stringify([responseId, call_id || id])
