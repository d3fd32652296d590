import type * as Fiber from "effect/Fiber"
import type { CallInfo } from "../../SessionEvent.js"
import type { Parts } from "../Parts.js"

/** A handler that stops within this time after its interruption behaves well. Milliseconds. */
const lingersAfterMs = 100

/**
 * Calls that were answered before their fiber had ended: a handler may not react to interruption, or may still be
 * cleaning up.
 */
export class OutlivingCalls {
  readonly #session: Parts

  /** When each call timed out; absent if it was stopped for another reason. */
  readonly #calls = new Map<Fiber.RuntimeFiber<unknown>, { readonly info: CallInfo; readonly expiredAt?: number }>()

  constructor(session: Parts) {
    this.#session = session
  }

  count(): number {
    return this.#calls.size
  }

  expired(fiber: Fiber.RuntimeFiber<unknown>, info: CallInfo): void {
    this.#calls.set(fiber, { info, expiredAt: this.#session.now() })
  }

  stopped(fiber: Fiber.RuntimeFiber<unknown>, info: CallInfo): void {
    this.#calls.set(fiber, { info })
  }

  /**
   * Its result cannot be seen, because an interrupted fiber ends as interrupted. All that is known is that it went on.
   */
  ended(fiber: Fiber.RuntimeFiber<unknown>): void {
    const call = this.#calls.get(fiber)
    if (call === undefined) return
    this.#calls.delete(fiber)
    const lateMs = call.expiredAt === undefined ? 0 : this.#session.now() - call.expiredAt
    if (lateMs < lingersAfterMs) return
    this.#session.outbox.publish({ _tag: "ToolResultDiscarded", call: call.info, lateMs })
  }
}
