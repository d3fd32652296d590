import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Ledger from "../../machine/CallLedger.js"
import type { FunctionCallItem } from "../../protocol/Item.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { CallInfo } from "../../SessionEvent.js"
import type { Tool } from "../../Tool.js"
import { type ToolError, ToolInterrupted, ToolNotFound, ToolOverloaded, ToolTimedOut } from "../../ToolError.js"
import type { Parts } from "../Parts.js"
import { CallApprovals, withdrawn } from "./CallApprovals.js"
import * as CallFiber from "./CallFiber.js"
import { CallOutputs, type Replies } from "./CallOutputs.js"
import { OutlivingCalls } from "./OutlivingCalls.js"
import { type Owner, ResponseOffers } from "./ResponseOffers.js"
import { type Running, RunningCalls } from "./RunningCalls.js"
import { SeenCalls } from "./SeenCalls.js"

/** Follows each call from the model's request to the output that the model reads. */
export class Calls<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  readonly ledger: Ledger.CallLedger
  readonly running = new RunningCalls<E, R>()
  readonly outputs: CallOutputs<E, R>
  readonly approvals: CallApprovals
  readonly offers: ResponseOffers<E, R>
  #seen: SeenCalls | undefined
  readonly #outliving: OutlivingCalls

  constructor(session: Parts<E, R>) {
    this.#session = session
    this.ledger = new Ledger.CallLedger(session.options.ledger)
    this.outputs = new CallOutputs(session)
    this.approvals = new CallApprovals(session)
    this.offers = new ResponseOffers(session)
    this.#outliving = new OutlivingCalls(session)
  }

  /**
   * Calls of this response are for the agent that has the conversation now, even if another one takes over in the
   * meantime.
   */
  responseBegan(responseId: string): void {
    this.offers.began(responseId)
  }

  responseEnded(responseId: string, end: Ledger.ResponseEnd): void {
    this.step({ _tag: "ResponseEnded", responseId, end })
    this.offers.ended(responseId)
  }

  /** Whether the model may still be asked to go on after calls of this response. */
  isOpen(responseId: string): boolean {
    return this.ledger.isOpen(responseId)
  }

  /** Whether this response will make no more calls. */
  hasEnded(responseId: string | undefined): boolean {
    return this.ledger.hasEnded(responseId)
  }

  arrived(item: FunctionCallItem, responseId: string | undefined): void {
    const callId = item.call_id || item.id
    if (!callId) {
      const message = `A call of ${JSON.stringify(item.name)} has neither a call id nor an item id: it cannot be answered.`
      const type = "response.output_item.done"
      this.#session.outbox.publish({ _tag: "ProtocolViolation", type, message, excerpt: item.arguments })
      return
    }
    const { name, arguments: text } = item
    this.#seenCalls.arrived(item, responseId)
    const policy = this.offers.of(responseId).functions.get(name)?.policy
    const mayReply = policy?.reply !== "silent" && policy?.onFailure !== "silent"
    this.step({
      _tag: "Arrived",
      mayReply,
      call: { callId, itemId: item.id ?? undefined, responseId, name, arguments: text }
    })
  }

  /** Whether the call was seen before it is listed at the end of its response. */
  hasArrived(item: FunctionCallItem, responseId: string | undefined): boolean {
    return this.#seenCalls.hasArrived(item, responseId)
  }

  /** The call was cut off before it was complete, so it is not run. */
  abandoned(item: FunctionCallItem, responseId: string | undefined): void {
    if (!this.#seenCalls.abandoned(item, responseId)) return
    const { name, arguments: text } = item
    const callId = item.call_id || item.id || ""
    const call = this.offers.infoOf({ callId, itemId: undefined, responseId, name, arguments: text })
    this.#session.outbox.publish({ _tag: "ToolCallAbandoned", call })
    if (responseId !== undefined) this.step({ _tag: "Abandoned", responseId })
  }

  /** Gives the input to the ledger, and carries out its commands. */
  step(input: Ledger.Input): void {
    for (const command of this.ledger.step(input)) this.#carryOut(command)
  }

  register(call: Ledger.Call, owner: Owner<E, R> = this.offers.ownerOf(call)): Running<E, R> {
    const info = this.offers.infoOf(call, owner)
    const entry: Running<E, R> = {
      info,
      tool: owner.tool,
      since: this.#session.now(),
      span: this.#session.telemetry.callStarted(info, owner.tool !== undefined),
      phase: "Open",
      approval: undefined,
      time: undefined,
      fiber: undefined
    }
    this.running.add(entry)
    return entry
  }

  start(call: Running<E, R>): void {
    const { info, tool } = call
    const { maxOpenCalls } = this.#session.options
    if (tool === undefined) {
      const available = this.offers.available(info.responseId)
      this.outputs.settled(call, failed(new ToolNotFound({ ...nameOf(info), available })))
      return
    }
    if (this.running.count() + this.#outliving.count() > maxOpenCalls) {
      this.#overloaded(call, maxOpenCalls, "session")
      return
    }
    const { concurrency } = tool.policy
    if (concurrency !== Number.POSITIVE_INFINITY && this.running.countOf(tool) > concurrency) {
      this.#overloaded(call, concurrency, "concurrency")
      return
    }
    const ms = timeoutOf(tool) ?? startsWithin
    call.time = { until: call.since + ms, ms }
    this.#session.outbox.run(
      Effect.suspend(() =>
        // It may have been answered at the very moment it arrived.
        this.running.get(info.callId) === call
          ? Effect.map(CallFiber.start(tool, info, call.span, this.#session), (fiber) => {
              call.fiber = fiber
            })
          : Effect.void
      )
    )
  }

  reported(callId: string, report: CallFiber.Report<E>): void {
    const { outbox, recorder, responses } = this.#session
    if (report._tag === "Ended") this.#outliving.ended(report.fiber)
    const call = this.running.get(callId)
    if (call === undefined) return
    const { info } = call
    switch (report._tag) {
      case "Started":
        call.time = undefined
        recorder.call(callId, { _tag: "Started" })
        outbox.afterwards(() => recorder.whenWritten((outcome) => this.#started(call, outcome, report.proceed)))
        break
      case "FillerDue":
        if (this.ledger.isWithdrawn(info.responseId)) break
        outbox.publish({ _tag: "FillerRequested", call: info, text: report.text })
        // In its own words, while the caller waits.
        responses.request({ instructions: `Tell the caller, in a few words: ${report.text}`, tool_choice: "none" })
        break
      case "Progressed": {
        const { message, data } = report
        outbox.publish({ _tag: "ToolProgress", call: info, message, ...(data === undefined ? {} : { data }) })
        break
      }
      case "ApprovalCheckFailed":
        outbox.publish({
          _tag: "ApprovalCheckFailed",
          call: info,
          message: `Whether ${info.tool} needs approval could not be decided, so it does.`
        })
        break
      case "ApprovalNeeded":
        call.time = undefined
        this.approvals.needed(call, report)
        break
      case "ApprovalExpired":
        this.approvals.expired(callId)
        break
      case "Ended":
        if (call.fiber !== report.fiber) break
        this.outputs.settled(call, report.settlement, call.isTakenBack ? "never" : undefined)
        break
    }
  }

  /** The server has this item, which may be an output. */
  itemAcknowledged(itemId: string): void {
    this.step({ _tag: "OutputAcknowledged", outputItemId: itemId })
    this.outputs.acknowledged(itemId)
  }

  /** Returns whether the refused event was the output of a call. */
  outputRefused(eventId: string, error: ServerError): boolean {
    return this.outputs.refused(eventId, error)
  }

  /** The user begins a turn: the calls of a turn are counted from zero again. */
  turnBegan(): void {
    this.step({ _tag: "TurnBegan" })
  }

  /** The responses that made these calls are withdrawn: the calls go on, but the model is not asked to speak of them. */
  withdraw(responseIds: Iterable<string>): void {
    for (const responseId of responseIds) {
      this.step({ _tag: "Withdrawn", responseId })
      const deferred = this.running.all().filter(({ info }) => info.responseId === responseId)
      const calls = [...this.ledger.unconfirmed(responseId), ...deferred.map(({ info }) => info)]
      for (const callId of new Set(calls.map((call) => call.callId))) this.#noteWithdrawn(callId)
      // What already runs goes on, but nobody needs to be asked any more.
      for (const { approval, info } of deferred) {
        if (approval !== undefined) this.approvals.decide(info.callId, withdrawn, false)
      }
      this.#session.hostedCalls.withdrawn(responseId)
    }
  }

  /** The state of the user's turn: what the next reply may do. */
  turn(): Ledger.Turn {
    return this.ledger.turn()
  }

  /** The user interrupted: stops the tools with `onInterrupt: "cancel"`. */
  interrupt(): void {
    for (const call of this.running.all()) {
      if (call.tool?.policy.onInterrupt === "cancel") this.#giveUp(call, new ToolInterrupted(nameOf(call.info)))
    }
  }

  /**
   * The server takes these calls back: their tools are stopped. It answers what made it do so by itself: it is
   * asked to go on only if it does not.
   */
  takenBack(callIds: ReadonlyArray<string>): void {
    for (const callId of callIds) {
      const call = this.running.get(callId)
      if (call === undefined) continue
      this.step({ _tag: "TakenBack", responseId: call.info.responseId })
      // Its result may already be on its way.
      call.isTakenBack = true
      this.#giveUp(call, new ToolInterrupted({ ...nameOf(call.info), by: "model" }), "never")
    }
    this.#session.responses.callsTakenBack()
  }

  /** The calls whose output was not sent yet. */
  open(): ReadonlyArray<string> {
    return this.ledger.open().map(({ callId }) => callId)
  }

  /**
   * Of these responses, which were cut off, those with running calls: the model goes on when it has their outputs. If
   * it were asked before, it might make the calls again.
   */
  carryOn(responseIds: Iterable<string>): ReadonlySet<string> {
    const carried = new Set(Array.from(responseIds).filter((responseId) => this.ledger.isRunning(responseId)))
    for (const responseId of carried) this.step({ _tag: "CutOff", responseId })
    return carried
  }

  /** The calls go on. Outputs that the server may not have are sent again. */
  disconnected(epoch: number): void {
    this.step({ _tag: "ConnectionLost", epoch })
  }

  /** Another connection has the calls in its conversation: sends the outputs that are ready, and returns how many. */
  reconnected(as: "another" | "same"): number {
    let count = 0
    const commands = this.ledger.step({ _tag: "Reconnected" })
    const open = new Map(this.ledger.open().map((call) => [call.callId, call]))
    for (const command of commands) {
      const call = command._tag === "SendOutput" ? open.get(command.callId) : undefined
      if (command._tag !== "SendOutput") this.#carryOut(command)
      else if (call !== undefined) {
        count += 1
        this.outputs.sendAgain(this.offers.infoOf(call), command.output, as)
      }
    }
    return count
  }

  /** When the next unanswered call times out. */
  deadline(): number | undefined {
    return this.running.deadline()
  }

  timePassed(): void {
    const now = this.#session.now()
    for (const call of this.running.all()) {
      if (call.time === undefined || call.time.until > now) continue
      this.#giveUp(call, new ToolTimedOut({ ...nameOf(call.info), afterMs: call.time.ms }))
    }
  }

  /** Publishes a failure for every call without an output, and stops its fiber. */
  close(): Effect.Effect<void> {
    const { outbox, telemetry } = this.#session
    const fibers: Array<Fiber.RuntimeFiber<unknown>> = []
    for (const { info, fiber, since, span } of this.running.all()) {
      const error = new ToolInterrupted(nameOf(info))
      const durationMs = this.#session.now() - since
      telemetry.callEnded(span, error)
      outbox.publish({ _tag: "ToolFailed", call: info, error, output: undefined, durationMs })
      if (fiber !== undefined) fibers.push(fiber)
    }
    this.running.clear()
    return Fiber.interruptAll(fibers)
  }

  #carryOut(command: Ledger.Command): void {
    const { outbox, recorder, responses } = this.#session
    switch (command._tag) {
      case "Start": {
        const call = this.register(command.call)
        const { agent, arguments: text, callId, responseId, tool } = call.info
        const { itemId } = command.call
        recorder.call(callId, { _tag: "Arrived", itemId, responseId, agent, tool, arguments: text })
        if (this.ledger.isWithdrawn(responseId)) this.#noteWithdrawn(callId)
        this.start(call)
        break
      }
      case "TripBreaker":
        // Not the tool's own failure, so the tool's policy for failures does not keep back the last reply of the turn.
        this.#overloaded(
          this.register(command.call),
          command.limit,
          "turn",
          command.mayReply ? "unless silent" : "never"
        )
        break
      case "NoteRepeated": {
        const call = this.offers.infoOf(command.call)
        if (this.#seenCalls.repeated(call.callId, call.responseId)) outbox.publish({ _tag: "ToolCallRepeated", call })
        break
      }
      case "RefuseConflicting":
        this.outputs.conflicting(this.offers.infoOf(command.call), this.offers.ownerOf(command.call).tool)
        break
      case "SendOutput":
        // Settling sends the output itself, because the event must follow it.
        break
      case "AskToGoOn":
        responses.ask(command.awaiting, {
          callIds: command.callIds,
          responseIds: command.responseId === undefined ? [] : [command.responseId]
        })
        break
    }
  }

  get #seenCalls(): SeenCalls {
    this.#seen ??= new SeenCalls()
    return this.#seen
  }

  /** Another process that takes the session up must not ask the model to go on after it either. */
  #noteWithdrawn(callId: string): void {
    this.#session.recorder.call(callId, { _tag: "Withdrawn" })
  }

  #overloaded(call: Running<E, R>, limit: number, per: ToolOverloaded["per"], replies?: Replies): void {
    this.outputs.settled(call, failed(new ToolOverloaded({ ...nameOf(call.info), limit, per })), replies)
  }

  /** Answers a call whose fiber may still be running. The fiber is interrupted, and nothing waits for it. */
  #giveUp(call: Running<E, R>, error: ToolTimedOut | ToolInterrupted, replies?: Replies): void {
    const { fiber, info } = call
    // The report of a fiber that has just ended is already in the inbox.
    if (fiber !== undefined && fiber.unsafePoll() !== null) return
    if (fiber !== undefined) {
      if (error._tag === "ToolTimedOut") this.#outliving.expired(fiber, info)
      else this.#outliving.stopped(fiber, info)
      // At once: the handler is stopped even if the session ends at this very moment.
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
    this.outputs.settled(call, failed(error), replies)
  }

  /** The start is written down, if there is a journal, and published: the handler runs. */
  #started(call: Running<E, R>, outcome: "Written" | "Refused", proceed: () => void): void {
    const { outbox } = this.#session
    const { info } = call
    // It may have ended while it waited.
    if (this.running.get(info.callId) !== call) return
    if (outcome === "Refused") {
      this.#giveUp(call, new ToolInterrupted({ ...nameOf(info), by: "journal" }))
      return
    }
    const ms = call.tool === undefined ? undefined : timeoutOf(call.tool)
    call.time = ms === undefined ? undefined : { until: this.#session.now() + ms, ms }
    outbox.publish({ _tag: "ToolStarted", call: info })
    const acknowledgement = call.tool?.policy.deferred
    if (call.phase === "Open" && acknowledgement !== undefined) this.outputs.acknowledge(call, acknowledgement)
    outbox.afterwards(proceed)
  }
}

/** In milliseconds; absent if a handler has no time limit. */
const timeoutOf = ({ policy: { timeout } }: Tool): number | undefined =>
  Duration.isFinite(timeout) ? Duration.toMillis(timeout) : undefined

/** The time limit, in milliseconds, for the steps before a handler that has none. */
const startsWithin = 20_000

const nameOf = ({ callId, tool, agent }: CallInfo) => ({ callId, tool, agent })

const failed = (error: ToolError<never>) => ({ _tag: "Failed", error }) as const
