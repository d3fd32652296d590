import { forgetOldest } from "../../machine/forgetOldest.js"
import type { FunctionCallItem } from "../../protocol/Item.js"

/** Far more calls than one response makes. */
const maxRemembered = 256

/**
 * What was heard of which calls: a response lists its calls again at its end, and a server may send one any number of
 * times. Each is to be run once, and what is said of it is said once.
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

  /** Whether this is the first that is heard of the call, and it was cut off. */
  abandoned(item: FunctionCallItem, responseId: string | undefined): boolean {
    const key = keyOf(item, responseId)
    return !this.#arrived.has(key) && add(this.#abandoned, key)
  }

  /** Whether the call comes a second time, and not a third. */
  repeated(callId: string, responseId: string | undefined): boolean {
    return add(this.#repeated, JSON.stringify([responseId, callId]))
  }
}

/** Whether it was not there. */
const add = (keys: Set<string>, key: string): boolean => {
  if (keys.has(key)) return false
  keys.add(key)
  forgetOldest(keys, maxRemembered)
  return true
}

/** A call id alone does not do: some servers count them anew in each response. */
const keyOf = ({ call_id, id }: FunctionCallItem, responseId: string | undefined): string =>
  JSON.stringify([responseId, call_id || id])
