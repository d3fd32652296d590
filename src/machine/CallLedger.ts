/**
 * The state of each call, from the model's request to the server's acknowledgement of the output. Only this module
 * decides whether an output may be sent: once for each call id, whatever happens.
 *
 * ```
 * Running ⇄ AwaitingApproval → Settled → Sent(epoch) → Acknowledged
 *                                 ↑_________| the connection was lost
 * ```
 *
 * It also knows which calls belong to one response, including calls that the server makes itself. So it knows when the
 * model has everything that it asked for and may go on (`Replies`).
 */
import { forgetOldest } from "../common/forgetOldest.js"
import { HostedCalls, type HostedInput } from "./HostedCalls.js"
import { type AskToGoOn, type Group, Replies, type ResponseEnd } from "./Replies.js"
import { RunawayBreaker, type Turn } from "./RunawayBreaker.js"

export type { HostedInput, ResponseEnd, Turn }

/** A call as the model made it. */
export interface Call {
  readonly callId: string
  /** The id of the call's item in the server's conversation. */
  readonly itemId: string | undefined
  readonly responseId: string | undefined
  readonly name: string
  readonly arguments: string
}

export type CallState =
  | { readonly _tag: "Running" }
  | { readonly _tag: "AwaitingApproval" }
  | { readonly _tag: "Settled"; readonly output: string }
  | { readonly _tag: "Sent"; readonly output: string; readonly outputItemId: string; readonly epoch: number }
  | { readonly _tag: "Acknowledged" }

export type Input =
  /** Another process answered this call: an id is answered once. */
  | { readonly _tag: "AnsweredBefore"; readonly call: Call }
  /** `mayReply`: whether the model should go on after a call that has no output of its own. Default: true. */
  | { readonly _tag: "Arrived"; readonly call: Call; readonly mayReply?: boolean }
  | { readonly _tag: "ApprovalAwaited"; readonly callId: string }
  | { readonly _tag: "ApprovalDecided"; readonly callId: string }
  /** `reply`: whether the model should go on once it has this output. */
  | { readonly _tag: "Settled"; readonly callId: string; readonly output: string; readonly reply: boolean }
  | { readonly _tag: "OutputSent"; readonly callId: string; readonly outputItemId: string; readonly epoch: number }
  | { readonly _tag: "OutputAcknowledged"; readonly outputItemId: string }
  /** The server refused an output, and another one takes its place. */
  | {
      readonly _tag: "OutputReplaced"
      readonly refusedItemId: string
      readonly outputItemId: string
      readonly output: string
    }
  /** The response will make no more calls. `end`: default `"Whole"`. */
  | { readonly _tag: "ResponseEnded"; readonly responseId: string; readonly end?: ResponseEnd }
  /** A call of this response was cut off before it was complete, so it does not run. */
  | { readonly _tag: "Abandoned"; readonly responseId: string }
  | HostedInput
  /** The response was cut off while its calls were running: the rest of the answer follows after their outputs. */
  | { readonly _tag: "CutOff"; readonly responseId: string }
  /**
   * The answer that made these calls was withdrawn: they get their outputs, but the model does not go on after them.
   */
  | { readonly _tag: "Withdrawn"; readonly responseId: string }
  /** The model takes back calls of this response, and answers by itself, with the outputs that it has. */
  | { readonly _tag: "TakenBack"; readonly responseId: string | undefined }
  /**
   * The user said something: the runaway breaker starts counting again. `calls`: calls that already belong to the turn.
   * Default: 0.
   */
  | { readonly _tag: "TurnBegan"; readonly calls?: number }
  | { readonly _tag: "ConnectionLost"; readonly epoch: number }
  /** A new connection has the calls in its conversation: settled outputs can be sent there. */
  | { readonly _tag: "Reconnected" }

export type Command =
  | { readonly _tag: "Start"; readonly call: Call }
  /**
   * More calls than one turn may have: answer without running it. `mayReply`: true for the first of them, after which
   * the model gives its last reply.
   */
  | { readonly _tag: "TripBreaker"; readonly call: Call; readonly limit: number; readonly mayReply: boolean }
  /** The same call again in its response: it has, or will get, its only output. */
  | { readonly _tag: "NoteRepeated"; readonly call: Call }
  /**
   * The same id for another call, or in another response. An id is answered once, so no output can be sent. But the
   * model waits, and is asked to go on, unless the turn has had its last reply.
   */
  | { readonly _tag: "RefuseConflicting"; readonly call: Call }
  | { readonly _tag: "SendOutput"; readonly callId: string; readonly output: string }
  | AskToGoOn

export interface Options {
  /** How many calls are allowed since the user last said something, before the breaker trips. */
  readonly maxCallsPerTurn: number
  /** Whether to ask the model to go on after all calls of a response, or after each. */
  readonly parallelReply: "all" | "each"
  /**
   * How many sent outputs are kept for another connection. Beyond this, the oldest counts as acknowledged, because not
   * every server acknowledges. Default: 256.
   */
  readonly maxUnacknowledged?: number
  /** How many acknowledged calls are remembered, to recognise an id that comes again. Default: 1,024. */
  readonly maxRemembered?: number
}

export const defaults = {
  maxUnacknowledged: 256,
  maxRemembered: 1024
} satisfies Partial<Options>

interface Entry {
  readonly call: Call
  group: Group
  reply: boolean
  state: CallState
}

export class CallLedger {
  readonly #entries = new Map<string, Entry>()
  /** Acknowledged calls, by id, with a fingerprint of the call. */
  readonly #remembered = new Map<string, string>()
  /** Calls with the id of another call: each is refused once. */
  readonly #refused = new Set<string>()
  readonly #sent = new Map<string, Entry>()
  readonly #options: Required<Options>
  #out: Array<Command> = []
  readonly #breaker: RunawayBreaker
  readonly #replies: Replies
  #hosted: HostedCalls | undefined

  constructor(options: Options) {
    this.#options = { ...defaults, ...options }
    this.#breaker = new RunawayBreaker(options.maxCallsPerTurn)
    this.#replies = new Replies(options.parallelReply, (command) => this.#out.push(command))
  }

  step(input: Input): ReadonlyArray<Command> {
    this.#out = []
    switch (input._tag) {
      case "AnsweredBefore":
        this.#remember(input.call)
        break
      case "Arrived":
        this.#arrived(input.call, input.mayReply ?? true)
        break
      case "ApprovalAwaited": {
        const entry = this.#entries.get(input.callId)
        if (entry?.state._tag !== "Running") break
        entry.state = { _tag: "AwaitingApproval" }
        entry.group.running -= 1
        entry.group.awaitingApproval += 1
        this.#replies.changed(entry.group)
        break
      }
      case "ApprovalDecided": {
        const entry = this.#entries.get(input.callId)
        if (entry?.state._tag !== "AwaitingApproval") break
        entry.state = { _tag: "Running" }
        entry.group.awaitingApproval -= 1
        entry.group.running += 1
        break
      }
      case "Settled": {
        const entry = this.#entries.get(input.callId)
        if (entry !== undefined) this.#settled(entry, input.output, input.reply)
        break
      }
      case "OutputSent": {
        const entry = this.#entries.get(input.callId)
        if (entry?.state._tag !== "Settled") break
        const { outputItemId, epoch } = input
        entry.state = { _tag: "Sent", output: entry.state.output, outputItemId, epoch }
        this.#sent.set(outputItemId, entry)
        for (const oldest of this.#sent.keys()) {
          if (this.#sent.size <= this.#options.maxUnacknowledged) break
          this.#acknowledged(oldest)
        }
        if (!entry.reply) break
        entry.group.unsent -= 1
        entry.group.outputs.push(outputItemId)
        entry.group.callIds.push(input.callId)
        this.#replies.changed(entry.group)
        break
      }
      case "OutputAcknowledged":
        this.#acknowledged(input.outputItemId)
        break
      case "OutputReplaced": {
        const { output, outputItemId } = input
        const entry = this.#sent.get(input.refusedItemId)
        if (entry?.state._tag !== "Sent") break
        this.#sent.delete(input.refusedItemId)
        entry.state = { ...entry.state, output, outputItemId }
        this.#sent.set(outputItemId, entry)
        break
      }
      case "ResponseEnded":
        this.#replies.ended(input.responseId, input.end ?? "Whole", () => this.#breaker.mayGoOn())
        break
      case "Abandoned": {
        const group = this.#replies.of(input.responseId)
        group.abandoned = true
        this.#replies.changed(group)
        break
      }
      case "HostedArrived":
      case "HostedApproved":
      case "HostedSettled":
      case "HostedLost":
        this.#hosted ??= new HostedCalls(this.#replies, this.#breaker)
        this.#hosted.step(input)
        break
      case "CutOff": {
        const group = this.#replies.get(input.responseId)
        if (group === undefined) break
        group.cutOff = true
        group.owesReply = true
        break
      }
      case "Withdrawn":
        this.#replies.withdraw(input.responseId)
        break
      case "TakenBack":
        this.#replies.settle(input.responseId)
        break
      case "TurnBegan":
        this.#breaker.turnBegan(input.calls ?? 0)
        break
      case "ConnectionLost":
        this.#connectionLost(input.epoch)
        break
      case "Reconnected":
        for (const { call, state } of this.#entries.values()) {
          if (state._tag !== "Settled") continue
          this.#out.push({ _tag: "SendOutput", callId: call.callId, output: state.output })
        }
        // A response that was cut off has ended, and nothing else tells this to the calls that waited for its end.
        for (const group of this.#replies.all()) this.#replies.changed(group)
        break
    }
    return this.#out
  }

  state(callId: string): CallState | undefined {
    return this.#entries.get(callId)?.state ?? (this.#remembered.has(callId) ? { _tag: "Acknowledged" } : undefined)
  }

  turn(): Turn {
    return this.#breaker.turn()
  }

  /** Whether the model waits for a call of this response, other than one that waits for approval. */
  isRunning(responseId: string): boolean {
    return (this.#replies.get(responseId)?.running ?? 0) > 0
  }

  /**
   * Whether the model may still be asked to go on after calls of this response, including calls that wait for approval.
   */
  isOpen(responseId: string): boolean {
    return this.#replies.get(responseId) !== undefined
  }

  /** Whether the answer that this response belongs to was withdrawn. */
  isWithdrawn(responseId: string | undefined): boolean {
    return this.#replies.isWithdrawn(responseId)
  }

  /** Whether this response will make no more calls. */
  hasEnded(responseId: string | undefined): boolean {
    return this.#replies.hasEnded(responseId)
  }

  /** The calls whose output was not sent yet. */
  open(): ReadonlyArray<Call> {
    return Array.from(this.#entries.values())
      .filter(({ state }) => state._tag !== "Sent")
      .map(({ call }) => call)
  }

  /** The calls of this response whose output the server has not confirmed. */
  unconfirmed(responseId: string): ReadonlyArray<Call> {
    return Array.from(this.#entries.values(), ({ call }) => call).filter((call) => call.responseId === responseId)
  }

  #arrived(call: Call, mayReply: boolean): void {
    const known = this.#entries.get(call.callId)?.call
    const fingerprint = known === undefined ? this.#remembered.get(call.callId) : fingerprintOf(known)
    const refusal = JSON.stringify([call.callId, fingerprintOf(call)])
    if (this.#refused.has(refusal)) return
    if (fingerprint === fingerprintOf(call)) {
      this.#out.push({ _tag: "NoteRepeated", call })
      return
    }
    const limit = this.#options.maxCallsPerTurn
    const counted = this.#breaker.count()
    const group = this.#replies.of(call.responseId)
    if (fingerprint !== undefined) {
      this.#refused.add(refusal)
      forgetOldest(this.#refused, this.#options.maxRemembered)
      this.#out.push({ _tag: "RefuseConflicting", call })
      group.owesReply ||= mayReply && counted !== "Further"
      group.callIds.push(call.callId)
      this.#replies.changed(group)
      return
    }
    group.running += 1
    this.#entries.set(call.callId, { call, group, reply: false, state: { _tag: "Running" } })
    this.#out.push(
      counted === "Within"
        ? { _tag: "Start", call }
        : { _tag: "TripBreaker", call, limit, mayReply: counted === "First" }
    )
  }

  #settled(entry: Entry, output: string, reply: boolean): void {
    const { group } = entry
    if (entry.state._tag === "Running") group.running -= 1
    else if (entry.state._tag === "AwaitingApproval") group.awaitingApproval -= 1
    else return
    entry.state = { _tag: "Settled", output }
    entry.reply = reply || group.cutOff
    if (entry.reply) {
      group.owesReply = true
      group.unsent += 1
    }
    this.#out.push({ _tag: "SendOutput", callId: entry.call.callId, output })
    this.#replies.changed(group)
  }

  #remember(call: Call): void {
    this.#remembered.set(call.callId, fingerprintOf(call))
    forgetOldest(this.#remembered, this.#options.maxRemembered)
  }

  #acknowledged(outputItemId: string): void {
    const entry = this.#sent.get(outputItemId)
    if (entry === undefined) return
    this.#sent.delete(outputItemId)
    this.#entries.delete(entry.call.callId)
    this.#remember(entry.call)
  }

  #connectionLost(epoch: number): void {
    for (const [outputItemId, entry] of this.#sent) {
      if (entry.state._tag !== "Sent" || entry.state.epoch !== epoch) continue
      this.#sent.delete(outputItemId)
      entry.state = { _tag: "Settled", output: entry.state.output }
      if (!entry.reply) continue
      entry.group = this.#replies.of(entry.call.responseId)
      entry.group.owesReply = true
      entry.group.unsent += 1
    }
    for (const group of this.#replies.all()) {
      group.ended = true
      group.outputs = []
    }
  }
}

/** A fingerprint of a call. The beginning of long arguments is enough to distinguish a repetition from another call. */
const fingerprintOf = ({ arguments: text, name, responseId }: Call): string =>
  JSON.stringify([responseId ?? null, name, text.length, text.slice(0, 1000)])
