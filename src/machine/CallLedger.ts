/**
 * The life of each call, from the model's request to the server's acknowledgement of the output. It is the one place
 * that decides whether an output may be sent: once for each call id, whatever happens.
 *
 * ```
 * Running ⇄ AwaitingApproval → Settled → Sent(epoch) → Acknowledged
 *                                 ↑_________| the connection was lost
 * ```
 *
 * It also knows which calls came in one response, those that the server makes itself among them, and so when the model has
 * all that it asked for and may go on (`Replies`).
 */
import { forgetOldest } from "./forgetOldest.js"
import { type HostedInput, make as makeHosted } from "./HostedCalls.js"
import { type AskToGoOn, type Group, make as makeReplies, type ResponseEnd } from "./Replies.js"
import { make as makeBreaker, type Turn } from "./RunawayBreaker.js"

export type { HostedInput, ResponseEnd, Turn }

/** A call as the model made it. */
export interface Call {
  readonly callId: string
  /** The item that the call is in the server's conversation. */
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
  /** `mayReply`: whether the model is to go on after a call that has no output of its own. Default: true. */
  | { readonly _tag: "Arrived"; readonly call: Call; readonly mayReply?: boolean }
  | { readonly _tag: "ApprovalAwaited"; readonly callId: string }
  | { readonly _tag: "ApprovalDecided"; readonly callId: string }
  /** `reply`: whether the model is to go on once it has this output. */
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
  /** A call of this response was cut off before it was complete: nothing comes of it. */
  | { readonly _tag: "Abandoned"; readonly responseId: string }
  | HostedInput
  /** The response was cut off while calls of it run: the rest of the answer comes after their outputs. */
  | { readonly _tag: "CutOff"; readonly responseId: string }
  /** The user said something: the runaway breaker counts anew. `calls`: that the turn has made already. Default: 0. */
  | { readonly _tag: "TurnBegan"; readonly calls?: number }
  | { readonly _tag: "ConnectionLost"; readonly epoch: number }
  /** A new connection has the calls in its conversation: what is settled can be sent there. */
  | { readonly _tag: "Reconnected" }

export type Command =
  | { readonly _tag: "Start"; readonly call: Call }
  /**
   * More calls than one turn may have: answer without running it. `mayReply`: for the first of them, the model has its last
   * word.
   */
  | { readonly _tag: "TripBreaker"; readonly call: Call; readonly limit: number; readonly mayReply: boolean }
  /** The same call again in its response: it has, or will get, its one output. */
  | { readonly _tag: "NoteRepeated"; readonly call: Call }
  /**
   * The same id for another call, or in another response. An id is answered once, so there is no output to send; but the
   * model waits, and is asked to go on, unless the turn has had its last word.
   */
  | { readonly _tag: "RefuseConflicting"; readonly call: Call }
  | { readonly _tag: "SendOutput"; readonly callId: string; readonly output: string }
  | AskToGoOn

export interface Options {
  /** Calls since the user last said something, after which the breaker trips. */
  readonly maxCallsPerTurn: number
  /** Ask the model to go on after all calls of a response, or after each. */
  readonly parallelReply: "all" | "each"
  /**
   * How many outputs on the wire are kept for another connection. Beyond these, the oldest counts as acknowledged: not
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

export interface CallLedger {
  readonly step: (input: Input) => ReadonlyArray<Command>
  readonly state: (callId: string) => CallState | undefined
  readonly turn: () => Turn
  /** Whether the model waits for a call of this response, other than one that waits for a person. */
  readonly isRunning: (responseId: string) => boolean
  /** Whether the model may still be asked to go on after calls of this response, also after one that waits for a person. */
  readonly isOpen: (responseId: string) => boolean
  /** Whether this response will make no more calls. */
  readonly hasEnded: (responseId: string | undefined) => boolean
  /** The calls that have no output on the wire. */
  readonly open: () => ReadonlyArray<Call>
}

export const make = (options: Options): CallLedger => {
  const entries = new Map<string, Entry>()
  /** Acknowledged calls: their id and what it stood for. */
  const remembered = new Map<string, string>()
  /** Calls that had the id of another: each is refused once. */
  const refused = new Set<string>()
  const sent = new Map<string, Entry>()
  const { maxRemembered, maxUnacknowledged } = { ...defaults, ...options }
  let out: Array<Command> = []
  const breaker = makeBreaker(options.maxCallsPerTurn)
  const replies = makeReplies(options.parallelReply, (command) => out.push(command))
  const hosted = makeHosted(replies, breaker)

  const arrived = (call: Call, mayReply: boolean): void => {
    const known = entries.get(call.callId)?.call
    const fingerprint = known === undefined ? remembered.get(call.callId) : fingerprintOf(known)
    const refusal = JSON.stringify([call.callId, fingerprintOf(call)])
    if (refused.has(refusal)) return
    if (fingerprint === fingerprintOf(call)) {
      out.push({ _tag: "NoteRepeated", call })
      return
    }
    const limit = options.maxCallsPerTurn
    const counted = breaker.count()
    const group = replies.of(call.responseId)
    if (fingerprint !== undefined) {
      refused.add(refusal)
      forgetOldest(refused, maxRemembered)
      out.push({ _tag: "RefuseConflicting", call })
      group.owesReply ||= mayReply && counted !== "Further"
      group.callIds.push(call.callId)
      replies.changed(group)
      return
    }
    group.running += 1
    entries.set(call.callId, {
      call,
      group,
      reply: false,
      state: { _tag: "Running" }
    })
    out.push(
      counted === "Within"
        ? { _tag: "Start", call }
        : { _tag: "TripBreaker", call, limit, mayReply: counted === "First" }
    )
  }

  const settled = (entry: Entry, output: string, reply: boolean): void => {
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
    out.push({ _tag: "SendOutput", callId: entry.call.callId, output })
    replies.changed(group)
  }

  const remember = (call: Call): void => {
    remembered.set(call.callId, fingerprintOf(call))
    forgetOldest(remembered, maxRemembered)
  }

  const acknowledged = (outputItemId: string): void => {
    const entry = sent.get(outputItemId)
    if (entry === undefined) return
    sent.delete(outputItemId)
    entries.delete(entry.call.callId)
    remember(entry.call)
  }

  const connectionLost = (epoch: number): void => {
    for (const [outputItemId, entry] of sent) {
      if (entry.state._tag !== "Sent" || entry.state.epoch !== epoch) continue
      sent.delete(outputItemId)
      entry.state = { _tag: "Settled", output: entry.state.output }
      if (!entry.reply) continue
      entry.group = replies.of(entry.call.responseId)
      entry.group.owesReply = true
      entry.group.unsent += 1
    }
    for (const group of replies.all()) {
      group.ended = true
      group.outputs = []
    }
  }

  const step = (input: Input): ReadonlyArray<Command> => {
    out = []
    switch (input._tag) {
      case "AnsweredBefore":
        remember(input.call)
        break
      case "Arrived":
        arrived(input.call, input.mayReply ?? true)
        break
      case "ApprovalAwaited": {
        const entry = entries.get(input.callId)
        if (entry?.state._tag !== "Running") break
        entry.state = { _tag: "AwaitingApproval" }
        entry.group.running -= 1
        entry.group.awaitingApproval += 1
        replies.changed(entry.group)
        break
      }
      case "ApprovalDecided": {
        const entry = entries.get(input.callId)
        if (entry?.state._tag !== "AwaitingApproval") break
        entry.state = { _tag: "Running" }
        entry.group.awaitingApproval -= 1
        entry.group.running += 1
        break
      }
      case "Settled": {
        const entry = entries.get(input.callId)
        if (entry !== undefined) settled(entry, input.output, input.reply)
        break
      }
      case "OutputSent": {
        const entry = entries.get(input.callId)
        if (entry?.state._tag !== "Settled") break
        const { outputItemId, epoch } = input
        entry.state = {
          _tag: "Sent",
          output: entry.state.output,
          outputItemId,
          epoch
        }
        sent.set(outputItemId, entry)
        for (const oldest of sent.keys()) {
          if (sent.size <= maxUnacknowledged) break
          acknowledged(oldest)
        }
        if (!entry.reply) break
        entry.group.unsent -= 1
        entry.group.outputs.push(outputItemId)
        entry.group.callIds.push(input.callId)
        replies.changed(entry.group)
        break
      }
      case "OutputAcknowledged":
        acknowledged(input.outputItemId)
        break
      case "OutputReplaced": {
        const { output, outputItemId } = input
        const entry = sent.get(input.refusedItemId)
        if (entry?.state._tag !== "Sent") break
        sent.delete(input.refusedItemId)
        entry.state = { ...entry.state, output, outputItemId }
        sent.set(outputItemId, entry)
        break
      }
      case "ResponseEnded":
        replies.ended(input.responseId, input.end ?? "Whole", breaker.mayGoOn)
        break
      case "Abandoned": {
        const group = replies.of(input.responseId)
        group.abandoned = true
        replies.changed(group)
        break
      }
      case "HostedArrived":
      case "HostedApproved":
      case "HostedSettled":
      case "HostedLost":
        hosted.step(input)
        break
      case "CutOff": {
        const group = replies.get(input.responseId)
        if (group === undefined) break
        group.cutOff = true
        group.owesReply = true
        break
      }
      case "TurnBegan":
        breaker.turnBegan(input.calls ?? 0)
        break
      case "ConnectionLost":
        connectionLost(input.epoch)
        break
      case "Reconnected":
        for (const { call, state } of entries.values()) {
          if (state._tag === "Settled")
            out.push({
              _tag: "SendOutput",
              callId: call.callId,
              output: state.output
            })
        }
        // A response that was cut off has ended, and nothing else says so to those that waited for its end.
        for (const group of replies.all()) replies.changed(group)
        break
    }
    return out
  }

  return {
    step,
    state: (callId) => entries.get(callId)?.state ?? (remembered.has(callId) ? { _tag: "Acknowledged" } : undefined),
    turn: breaker.turn,
    isRunning: (responseId) => (replies.get(responseId)?.running ?? 0) > 0,
    isOpen: (responseId) => replies.get(responseId) !== undefined,
    hasEnded: replies.hasEnded,
    open: () =>
      Array.from(entries.values())
        .filter(({ state }) => state._tag !== "Sent")
        .map(({ call }) => call)
  }
}

/** What a call id stood for; the head of long arguments is enough to tell a repetition from another call. */
const fingerprintOf = ({ arguments: text, name, responseId }: Call): string =>
  JSON.stringify([responseId ?? null, name, text.length, text.slice(0, 1000)])
