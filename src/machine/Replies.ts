/**
 * What each response still waits for before the model may go on: its function calls, calls that the server makes
 * itself, outputs that were not sent yet, and its own end.
 */
import { forgetOldest } from "../common/forgetOldest.js"

/** How a response ended, for the calls that it made. */
export type ResponseEnd =
  /** Its calls go on. */
  | "Whole"
  /** Somebody stopped it, or it will be requested again. */
  | "Stopped"
  /** It ended early (a limit, a failure), and nobody stopped it or requests it again. */
  | "CutShort"

/** The calls of one response. */
export interface Group {
  readonly responseId: string | undefined
  ended: boolean
  /** Calls that hold back the reply: a pending approval does not. */
  running: number
  awaitingApproval: number
  /** Settled calls that ask for a reply, and were not sent yet. */
  unsent: number
  owesReply: boolean
  /** The model goes on after these calls, even if they ask for no reply, because it was cut off when it made them. */
  cutOff: boolean
  /** Whether one of its calls was cut off before it was complete. */
  abandoned: boolean
  /** Items of the session that the next reply must have seen. */
  outputs: Array<string>
  /** The calls that ask for the next reply. */
  callIds: Array<string>
}

/**
 * The model has everything that it asked for. `awaiting`: the items of the session that a response must have seen to
 * count as this reply.
 */
export interface AskToGoOn {
  readonly _tag: "AskToGoOn"
  readonly responseId: string | undefined
  readonly awaiting: ReadonlyArray<string>
  readonly callIds: ReadonlyArray<string>
}

/** How many ended responses are remembered, for calls that are listed late. */
const maxEndedResponses = 64

export class Replies {
  readonly #groups = new Map<string | undefined, Group>()
  readonly #endedResponses = new Set<string>()
  readonly #withdrawn = new Set<string>()

  /** @param parallelReply whether to ask the model to go on after all calls of a response, or after each */
  constructor(
    private readonly parallelReply: "all" | "each",
    private readonly ask: (command: AskToGoOn) => void
  ) {}

  of(responseId: string | undefined): Group {
    const known = this.#groups.get(responseId)
    if (known !== undefined) return known
    const group: Group = {
      responseId,
      ended: this.hasEnded(responseId),
      running: 0,
      awaitingApproval: 0,
      unsent: 0,
      owesReply: false,
      cutOff: false,
      abandoned: false,
      outputs: [],
      callIds: []
    }
    this.#groups.set(responseId, group)
    return group
  }

  /** The answer that these calls belong to was withdrawn: the model does not go on after them. */
  withdraw(responseId: string): void {
    this.#withdrawn.add(responseId)
    forgetOldest(this.#withdrawn, maxEndedResponses)
    const group = this.#groups.get(responseId)
    if (group !== undefined) this.changed(group)
  }

  /** What was to be said of these calls so far is said without being asked for. */
  settle(responseId: string | undefined): void {
    const group = this.#groups.get(responseId)
    if (group === undefined) return
    group.owesReply = false
    group.outputs = []
    group.callIds = []
  }

  isWithdrawn(responseId: string | undefined): boolean {
    return responseId !== undefined && this.#withdrawn.has(responseId)
  }

  get(responseId: string | undefined): Group | undefined {
    return this.#groups.get(responseId)
  }

  all(): ReadonlyArray<Group> {
    return Array.from(this.#groups.values())
  }

  hasEnded(responseId: string | undefined): boolean {
    return (
      responseId === undefined || this.#endedResponses.has(responseId) || this.#groups.get(responseId)?.ended === true
    )
  }

  /** Asks the model to go on, if this group has everything that it waits for. Called after each change of a group. */
  changed(group: Group): void {
    if (this.isWithdrawn(group.responseId)) group.owesReply = false
    const asksForEach = this.parallelReply === "each" && !group.cutOff
    const complete = asksForEach || (group.ended && group.running === 0)
    if (complete && group.owesReply && group.unsent === 0) {
      const { callIds, outputs: awaiting, responseId } = group
      group.owesReply = false
      group.outputs = []
      group.callIds = []
      this.ask({ _tag: "AskToGoOn", responseId, awaiting, callIds })
    }
    if (group.ended && group.running + group.awaitingApproval + group.unsent === 0) {
      this.#groups.delete(group.responseId)
    }
  }

  /** `mayGoOn`: whether to ask the model to go on after a call that was cut off. */
  ended(responseId: string, end: ResponseEnd, mayGoOn: () => boolean): void {
    this.#endedResponses.add(responseId)
    forgetOldest(this.#endedResponses, maxEndedResponses)
    const group = this.#groups.get(responseId)
    if (group === undefined) return
    group.ended = true
    if (end === "CutShort" && group.abandoned && mayGoOn()) group.owesReply = true
    this.changed(group)
  }
}
