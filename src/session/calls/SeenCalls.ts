import { forgetOldest } from "../../common/forgetOldest.js"
import type { FunctionCallItem } from "../../protocol/Item.js"

/** Far more calls than one response makes. */
const maxRemembered = 256

/**
 * The calls that were seen before. A response lists its calls again at its end, and a server may send a call any number
 * of times. Each call must be run only once, and reported only once.
 */
export class SeenCalls {
  readonly #arrived = new Set<string>()
  readonly #abandoned = new Set<string>()
  readonly #repeated = new Set<string>()

  arrived(item: FunctionCallItem, responseId: string | undefined): void {
    add(this.#arrived, keyOf(item, responseId))
  }

  hasArrived(item: FunctionCallItem, responseId: string | undefined): boolean {
    return this.#arrived.has(keyOf(item, responseId))
  }

  /** Whether this is the first time that the call was seen, and it was cut off. */
  abandoned(item: FunctionCallItem, responseId: string | undefined): boolean {
    const key = keyOf(item, responseId)
    return !this.#arrived.has(key) && add(this.#abandoned, key)
  }

  /** Whether the call comes for the second time, but not for the third. */
  repeated(callId: string, responseId: string | undefined): boolean {
    return add(this.#repeated, JSON.stringify([responseId, callId]))
  }
}

/** Adds the key. Returns whether it was new. */
const add = (keys: Set<string>, key: string): boolean => {
  if (keys.has(key)) return false
  keys.add(key)
  forgetOldest(keys, maxRemembered)
  return true
}

/** The call id alone is not enough: some servers start counting again in each response. */
const keyOf = ({ call_id, id }: FunctionCallItem, responseId: string | undefined): string =>
  JSON.stringify([responseId, call_id || id])
