import type * as Deferred from "effect/Deferred"
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { CallInfo } from "../../SessionEvent.js"
import type { Tool } from "../../Tool.js"
import type { Decision } from "../../tool/settle.js"

/** The decision that a call's fiber waits for. */
export interface Approval {
  readonly decision: Deferred.Deferred<Decision>
  readonly deadline: number
}

export interface Time {
  readonly until: number
  /** How long it is. */
  readonly ms: number
}

/** A call that has no result yet. */
export interface Running<out E = unknown, out R = unknown> {
  readonly info: CallInfo
  readonly tool: Tool<string, E, R> | undefined
  readonly since: number
  /** Absent where nobody traces. */
  readonly span: Tracer.Span | undefined
  /** A deferred call has its output, an acknowledgement, and its result follows as an item of its own. */
  phase: "Open" | "Acknowledged"
  /** Present while it waits for the application's word. */
  approval: Approval | undefined
  fiber: Fiber.RuntimeFiber<unknown> | undefined
  /**
   * The time of what is under way: of what comes before the handler, decoding and checks, and then of the handler. Absent
   * while somebody else keeps it, or nobody.
   */
  time: Time | undefined
}

/** The calls between their arrival and their end, in the order in which they came. */
export class RunningCalls<out E = unknown, out R = unknown> {
  readonly #running = new Map<string, Running<E, R>>()

  add(call: Running<E, R>): void {
    this.#running.set(call.info.callId, call)
  }

  get(callId: string): Running<E, R> | undefined {
    return this.#running.get(callId)
  }

  all(): ReadonlyArray<Running<E, R>> {
    return Array.from(this.#running.values())
  }

  /** Whether it was still there. */
  remove(callId: string): boolean {
    return this.#running.delete(callId)
  }

  count(): number {
    return this.#running.size
  }

  /** How many of them share this tool's policy. */
  countOf(tool: Tool): number {
    let count = 0
    // By its policy: a tool that is guarded for an agent is another object, with the same one.
    for (const call of this.#running.values()) if (call.tool?.policy === tool.policy) count += 1
    return count
  }

  /** When the first call is given up. */
  deadline(): number | undefined {
    let earliest: number | undefined
    for (const { time } of this.#running.values()) {
      if (time !== undefined && (earliest === undefined || time.until < earliest)) earliest = time.until
    }
    return earliest
  }

  clear(): void {
    this.#running.clear()
  }
}
