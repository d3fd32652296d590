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
  /** The length of the time limit. */
  readonly ms: number
}

/** A call that has no result yet. */
export interface Running<out E = unknown, out R = unknown> {
  readonly info: CallInfo
  readonly tool: Tool<string, E, R> | undefined
  readonly since: number
  /** Absent if nobody traces. */
  readonly span: Tracer.Span | undefined
  /** `Acknowledged`: a deferred call has an acknowledgement as its output, and its result follows as an item. */
  phase: "Open" | "Acknowledged"
  /** Present while the call waits for the application's decision. */
  approval: Approval | undefined
  fiber: Fiber.RuntimeFiber<unknown> | undefined
  /** The model does not wait for it any more. */
  isTakenBack?: true
  /**
   * The time limit of the current step: first of decoding and checks, then of the handler. Absent while something else
   * limits the time, or nothing does.
   */
  time: Time | undefined
}

/** A call without a result. `AwaitingApproval`: it does nothing until `approve` or `reject`. */
export interface OpenCall {
  readonly call: CallInfo
  readonly state: "Running" | "AwaitingApproval"
}

/** The calls between their arrival and their end, in order of arrival. */
export class RunningCalls<out E = unknown, out R = unknown> {
  readonly #running = new Map<string, Running<E, R>>()
  #version = 0

  /** Another number whenever other calls are open, or wait. */
  get version(): number {
    return this.#version
  }

  /** A call waits for a decision from now on, or no longer. */
  awaits(call: Running<E, R>, approval: Approval | undefined): void {
    call.approval = approval
    this.#version += 1
  }

  open(): ReadonlyArray<OpenCall> {
    return this.all().map(({ approval, info }) => ({
      call: info,
      state: approval === undefined ? "Running" : "AwaitingApproval"
    }))
  }

  add(call: Running<E, R>): void {
    this.#version += 1
    this.#running.set(call.info.callId, call)
  }

  get(callId: string): Running<E, R> | undefined {
    return this.#running.get(callId)
  }

  all(): ReadonlyArray<Running<E, R>> {
    return Array.from(this.#running.values())
  }

  /** Returns whether the call was still there. */
  remove(callId: string): boolean {
    this.#version += 1
    return this.#running.delete(callId)
  }

  count(): number {
    return this.#running.size
  }

  /** How many calls share this tool's policy. */
  countOf(tool: Tool): number {
    let count = 0
    // Compared by policy: a tool that is guarded for an agent is another object with the same policy.
    for (const call of this.#running.values()) if (call.tool?.policy === tool.policy) count += 1
    return count
  }

  /** When the next call times out. */
  deadline(): number | undefined {
    let earliest: number | undefined
    for (const { time } of this.#running.values()) {
      if (time !== undefined && (earliest === undefined || time.until < earliest)) earliest = time.until
    }
    return earliest
  }

  clear(): void {
    this.#version += 1
    this.#running.clear()
  }
}
