import type { Group, Replies } from "./Replies.js"
import type { RunawayBreaker } from "./RunawayBreaker.js"

/** The server makes these calls itself, and has their results: there is no output to send, but the model waits. */
export type HostedInput =
  /** `awaitsApproval`: it runs when the application approves. */
  | {
      readonly _tag: "HostedArrived"
      readonly callId: string
      readonly responseId: string | undefined
      readonly awaitsApproval: boolean
    }
  | { readonly _tag: "HostedApproved"; readonly callId: string }
  /**
   * The server has its result, or will never have one. `awaiting`: an item of the session that says why, if there is
   * one.
   */
  | { readonly _tag: "HostedSettled"; readonly callId: string; readonly awaiting?: string }
  /** It was lost without a result. `owesReply`: its response is over, and the model should go on without the result. */
  | { readonly _tag: "HostedLost"; readonly callId: string; readonly owesReply: boolean }

interface Hosted {
  readonly group: Group
  readonly mayReply: boolean
  state: "AwaitingApproval" | "Running"
}

/** Hosted calls, as far as a reply waits for them. */
export class HostedCalls {
  readonly #open = new Map<string, Hosted>()

  constructor(
    private readonly replies: Replies,
    private readonly breaker: RunawayBreaker
  ) {}

  step(input: HostedInput): void {
    switch (input._tag) {
      case "HostedArrived": {
        if (this.#open.has(input.callId)) break
        const group = this.replies.of(input.responseId)
        const state = input.awaitsApproval ? "AwaitingApproval" : "Running"
        if (input.awaitsApproval) group.awaitingApproval += 1
        else group.running += 1
        this.#open.set(input.callId, { group, mayReply: this.breaker.count() !== "Further", state })
        this.replies.changed(group)
        break
      }
      case "HostedApproved": {
        const call = this.#open.get(input.callId)
        if (call?.state !== "AwaitingApproval") break
        call.state = "Running"
        call.group.awaitingApproval -= 1
        call.group.running += 1
        break
      }
      case "HostedSettled": {
        const call = this.#take(input.callId)
        if (call === undefined) break
        call.group.owesReply ||= call.mayReply
        call.group.callIds.push(input.callId)
        if (input.awaiting !== undefined) call.group.outputs.push(input.awaiting)
        this.replies.changed(call.group)
        break
      }
      case "HostedLost": {
        const call = this.#take(input.callId)
        if (call === undefined) break
        // Requested once there is a connection again.
        call.group.owesReply ||= input.owesReply
        break
      }
    }
  }

  #take(callId: string): Hosted | undefined {
    const call = this.#open.get(callId)
    if (call === undefined) return undefined
    this.#open.delete(callId)
    if (call.state === "Running") call.group.running -= 1
    else call.group.awaitingApproval -= 1
    return call
  }
}
