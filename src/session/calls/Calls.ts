import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Ledger from "../../machine/CallLedger.js"
import type { FunctionCallItem } from "../../protocol/Item.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { CallInfo, SessionEvent } from "../../SessionEvent.js"
import {
  type Describe,
  type ToolError,
  ToolInterrupted,
  ToolNotFound,
  ToolOverloaded,
  ToolTimedOut
} from "../../ToolError.js"
import type { Decision } from "../../tool/settle.js"
import type { Outbox } from "../connection/Outbox.js"
import type { Recorder } from "../Recorder.js"
import type { Spans } from "../Spans.js"
import type { Offer } from "../team/Offer.js"
import * as CallApprovals from "./CallApprovals.js"
import * as CallFiber from "./CallFiber.js"
import * as CallOutputs from "./CallOutputs.js"
import * as CallRecovery from "./CallRecovery.js"
import type { OutputLimit } from "./OutputLimit.js"
import * as ResponseOffers from "./ResponseOffers.js"
import * as RunningCalls from "./RunningCalls.js"
import * as SeenCalls from "./SeenCalls.js"

export interface Environment<E, R> extends Omit<CallFiber.Environment<E>, "handling"> {
  /** Who has the conversation now. */
  readonly offer: () => Offer<E, R>
  /** Of another agent, whose calls another process left. */
  readonly offerOf: CallRecovery.Environment<E, R>["offerOf"]
  readonly ledger: Ledger.Options
  readonly describe: Describe
  readonly outputLimit: OutputLimit
  /** How many calls may be open at a time. */
  readonly maxOpenCalls: number
  /** Whether no more calls may wait for the application's word. */
  readonly isApprovalFull: () => boolean
  /** The number of the connection. */
  readonly epoch: () => number
  readonly isToldAgain: CallOutputs.Environment<E, R>["isToldAgain"]
  readonly outbox: Pick<Outbox<SessionEvent<E>, ToolError<E>, R>, "send" | "publish" | "run" | "afterwards" | "end">
  readonly spans: Spans
  readonly recorder: Recorder
  /** The model has what it asked for and may go on. */
  readonly askToGoOn: (awaiting: ReadonlyArray<string>) => void
  /** The model is to say this, in its own words, while the caller waits. */
  readonly say: (text: string) => void
}

/** The way of a call from the model's request to the output that it reads. */
export interface Calls<E, R = unknown> {
  /** Whom a response is for: the agent that had the conversation when it began. */
  readonly offerOf: ResponseOffers.ResponseOffers<E, R>["of"]
  /** Calls of this response are for the agent that has the conversation now, also if another takes over meanwhile. */
  readonly responseBegan: (responseId: string) => void
  readonly arrived: (item: FunctionCallItem, responseId: string | undefined) => void
  /** Whether it was seen before it is listed at the end of its response. */
  readonly hasArrived: (item: FunctionCallItem, responseId: string | undefined) => boolean
  readonly abandoned: (item: FunctionCallItem, responseId: string | undefined) => void
  readonly reported: (callId: string, report: CallFiber.Report<E>) => void
  readonly responseEnded: (responseId: string, end: Ledger.ResponseEnd) => void
  readonly hasEnded: Ledger.CallLedger["hasEnded"]
  /** What becomes of calls that the server makes itself: the model goes on after them as after its own. */
  readonly hosted: (input: Ledger.HostedInput | Extract<Ledger.Input, { _tag: "Abandoned" }>) => void
  readonly itemAcknowledged: (itemId: string) => void
  readonly turnBegan: () => void
  /** How far the user's turn is: what the next reply may do. */
  readonly turn: Ledger.CallLedger["turn"]
  /** When a call that has not come to its handler is given up, if one is on its way there. */
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
  /** Whether the refused event was the output of a call. */
  readonly outputRefused: (eventId: string, error: ServerError) => boolean
  /** The user interrupted: tools that want to hear of it are stopped. */
  readonly interrupt: () => void
  /** Whether a call waited for this decision. `always`: it stands for all calls of this tool by this agent. */
  readonly decide: (callId: string, decision: Decision, always: boolean) => boolean
  readonly pendingApprovals: () => ReadonlyArray<CallApprovals.PendingApproval>
  /** The calls that have no output on the wire. */
  readonly open: () => ReadonlyArray<string>
  /**
   * Of these responses, which were cut off, those with calls that run: the model goes on when it has their outputs. If it
   * were asked before, it might make them again.
   */
  readonly carryOn: (responseIds: Iterable<string>) => ReadonlySet<string>
  /** The calls go on; what of their outputs the server may not have is sent again. */
  readonly disconnected: (epoch: number) => void
  /** Another connection has the calls in its conversation: sends the outputs that are there, and says how many. */
  readonly reconnected: (as: "another" | "same") => number
  /**
   * The calls that the process before this one left open, in a conversation of these items. What is returned runs them,
   * or answers them: once the server has been told of them.
   */
  readonly recover: CallRecovery.CallRecovery
  /** Publishes every call that has no output, and stops its fiber. */
  readonly close: () => Effect.Effect<void>
}

export const make = <E, R>(env: Environment<E, R>): Calls<E, R> => {
  const { outbox, spans } = env
  const ledger = Ledger.make(env.ledger)
  const running = RunningCalls.make<E, R>()
  /** Handlers that have not ended, those of calls that are answered included. */
  let handlers = 0
  const handling = (change: 1 | -1): void => {
    handlers += change
  }
  const offers = ResponseOffers.make<E, R>(env.offer)
  const seen = SeenCalls.make()

  const step = (input: Ledger.Input): void => {
    for (const command of ledger.step(input)) carryOut(command)
  }

  const outputs = CallOutputs.make<E, R>({ ...env, running, step })
  const approvals = CallApprovals.make<E, R>({ publish: outbox.publish, running, step, isFull: env.isApprovalFull })

  const carryOut = (command: Ledger.Command): void => {
    switch (command._tag) {
      case "Start":
        begin(command.call)
        break
      case "TripBreaker": {
        const { limit, mayReply } = command
        const call = register(command.call)
        const overloaded = failed(new ToolOverloaded({ ...nameOf(call.info), limit, per: "turn" }))
        // Not the tool's failure: what it wants of those does not keep the last word of the turn back.
        outputs.settled(call, overloaded, mayReply ? "unless silent" : "never")
        break
      }
      case "NoteRepeated": {
        const info = infoOf(command.call)
        if (seen.repeated(info.callId, info.responseId)) outbox.publish({ _tag: "ToolCallRepeated", call: info })
        break
      }
      case "RefuseConflicting": {
        const info = infoOf(command.call)
        outputs.conflicting(info, offers.of(command.call.responseId).functions.get(info.tool))
        break
      }
      case "SendOutput":
        // Settling sends the output itself, for the event must follow it.
        break
      case "AskToGoOn":
        env.askToGoOn(command.awaiting)
        break
    }
  }

  const ownerOf = (call: Ledger.Call): CallRecovery.Owner<E, R> => {
    const { agent, functions } = offers.of(call.responseId)
    return { agent: agent.name, tool: functions.get(call.name) }
  }

  const infoOf = (call: Ledger.Call, { agent } = ownerOf(call)): CallInfo => ({
    callId: call.callId,
    tool: call.name,
    agent,
    responseId: call.responseId,
    arguments: call.arguments
  })

  const register = (call: Ledger.Call, owner = ownerOf(call)): RunningCalls.Running<E, R> => {
    const info = infoOf(call, owner)
    const entry: RunningCalls.Running<E, R> = {
      info,
      tool: owner.tool,
      since: env.now(),
      span: spans.callStarted(info),
      phase: "Open",
      approval: undefined,
      startsBy: undefined,
      fiber: undefined
    }
    running.add(entry)
    return entry
  }

  const begin = (wire: Ledger.Call): void => {
    const call = register(wire)
    const { agent, arguments: text, callId, responseId, tool } = call.info
    env.recorder.call(callId, { _tag: "Arrived", itemId: wire.itemId, responseId, agent, tool, arguments: text })
    start(call)
  }

  const start = (call: RunningCalls.Running<E, R>): void => {
    const { info, tool } = call
    if (tool === undefined) {
      const available = [...offers.of(info.responseId).functions.keys()]
      outputs.settled(call, failed(new ToolNotFound({ ...nameOf(info), available })))
      return
    }
    const overloaded = (limit: number, per: ToolOverloaded["per"]): void =>
      outputs.settled(call, failed(new ToolOverloaded({ ...nameOf(info), limit, per })))
    const { concurrency } = tool.policy
    if (running.count() > env.maxOpenCalls || handlers >= env.maxOpenCalls) {
      overloaded(env.maxOpenCalls, "session")
      return
    }
    if (concurrency !== Number.POSITIVE_INFINITY && running.countOf(tool) > concurrency) {
      overloaded(concurrency, "concurrency")
      return
    }
    const { timeout } = tool.policy
    call.startsBy = call.since + (Duration.isFinite(timeout) ? Duration.toMillis(timeout) : startsWithin)
    outbox.run(
      Effect.tap(CallFiber.start(tool, info, call.span, { ...env, handling }), (fiber) =>
        Effect.sync(() => {
          call.fiber = fiber
        })
      )
    )
  }

  /** Its start is written down, as far as anything is: the handler runs. */
  const started = (
    call: RunningCalls.Running<E, R>,
    outcome: "Written" | "Refused",
    proceed: (() => void) | undefined
  ): void => {
    const { fiber, info } = call
    // It may have ended while it waited.
    if (running.get(info.callId) !== call) return
    if (outcome === "Refused") {
      if (fiber !== undefined) outbox.run(Fiber.interruptFork(fiber))
      outputs.settled(call, failed(new ToolInterrupted({ ...nameOf(info), by: "journal" })))
      return
    }
    outbox.publish({ _tag: "ToolStarted", call: info })
    if (call.phase === "Open" && call.tool?.policy.deferred !== undefined)
      outputs.acknowledge(call, call.tool.policy.deferred)
    if (proceed !== undefined) outbox.afterwards(proceed)
  }

  const arrived: Calls<E>["arrived"] = (item, responseId) => {
    const callId = item.call_id || item.id
    if (!callId) {
      const message = `A call of ${JSON.stringify(item.name)} has neither a call id nor an item id: it can not be answered.`
      outbox.publish({ _tag: "ProtocolViolation", type: "response.output_item.done", message, excerpt: item.arguments })
      return
    }
    const { name, arguments: text } = item
    seen.arrived(item, responseId)
    const policy = offers.of(responseId).functions.get(name)?.policy
    const mayReply = policy?.reply !== "silent" && policy?.onFailure !== "silent"
    step({
      _tag: "Arrived",
      mayReply,
      call: { callId, itemId: item.id ?? undefined, responseId, name, arguments: text }
    })
  }

  return {
    offerOf: offers.of,
    arrived,
    hasArrived: seen.hasArrived,
    abandoned: (item, responseId) => {
      if (!seen.abandoned(item, responseId)) return
      const { name, arguments: text } = item
      const callId = item.call_id || item.id || ""
      const call = infoOf({ callId, itemId: undefined, responseId, name, arguments: text })
      outbox.publish({ _tag: "ToolCallAbandoned", call })
      if (responseId !== undefined) step({ _tag: "Abandoned", responseId })
    },
    reported: (callId, report) => {
      if (report._tag === "Discarded") {
        outbox.publish({ _tag: "ToolResultDiscarded", call: report.call, lateMs: report.lateMs })
      }
      const call = running.get(callId)
      if (call === undefined) return
      const { info } = call
      switch (report._tag) {
        case "Started":
          call.startsBy = undefined
          env.recorder.call(callId, { _tag: "Started" })
          if (report.proceed === undefined) started(call, "Written", undefined)
          else outbox.afterwards(() => env.recorder.whenWritten((outcome) => started(call, outcome, report.proceed)))
          break
        case "FillerDue":
          outbox.publish({ _tag: "FillerRequested", call: info, text: report.text })
          env.say(report.text)
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
          call.startsBy = undefined
          approvals.needed(call, report)
          break
        case "ApprovalExpired":
          approvals.expired(callId)
          break
        case "Settled":
          outputs.settled(call, report.settlement)
          break
      }
    },
    responseBegan: offers.began,
    hasEnded: ledger.hasEnded,
    hosted: step,
    responseEnded: (responseId, end) => {
      step({ _tag: "ResponseEnded", responseId, end })
      offers.ended(responseId)
    },
    itemAcknowledged: (itemId) => {
      step({ _tag: "OutputAcknowledged", outputItemId: itemId })
      outputs.acknowledged(itemId)
    },
    turnBegan: () => step({ _tag: "TurnBegan" }),
    turn: ledger.turn,
    deadline: running.deadline,
    timePassed: () => {
      for (const call of running.all()) {
        const { fiber, info, since, startsBy } = call
        if (startsBy === undefined || startsBy > env.now()) continue
        if (fiber !== undefined) outbox.run(Fiber.interruptFork(fiber))
        outputs.settled(call, failed(new ToolTimedOut({ ...nameOf(info), afterMs: startsBy - since })))
      }
    },
    outputRefused: outputs.refused,
    interrupt: () => {
      for (const { fiber, tool } of running.all()) {
        if (fiber !== undefined && tool?.policy.onInterrupt === "cancel") outbox.run(Fiber.interruptFork(fiber))
      }
    },
    decide: approvals.decide,
    pendingApprovals: approvals.pending,
    open: () => ledger.open().map(({ callId }) => callId),
    carryOn: (responseIds) => {
      const carried = new Set(Array.from(responseIds).filter(ledger.isRunning))
      for (const responseId of carried) step({ _tag: "CutOff", responseId })
      return carried
    },
    disconnected: (epoch) => step({ _tag: "ConnectionLost", epoch }),
    reconnected: (as) => {
      let count = 0
      const commands = ledger.step({ _tag: "Reconnected" })
      const open = new Map(ledger.open().map((call) => [call.callId, call]))
      for (const command of commands) {
        const call = command._tag === "SendOutput" ? open.get(command.callId) : undefined
        if (command._tag !== "SendOutput") carryOut(command)
        else if (call !== undefined) {
          count += 1
          outputs.sendAgain(infoOf(call), command.output, as)
        }
      }
      return count
    },
    recover: CallRecovery.make({ ...env, ledger, outputs, register, start }),
    close: () => {
      const fibers: Array<Fiber.RuntimeFiber<unknown>> = []
      for (const { info, fiber, since, span } of running.all()) {
        const error = new ToolInterrupted(nameOf(info))
        spans.end(span, { outcome: error._tag })
        outbox.publish({ _tag: "ToolFailed", call: info, error, output: undefined, durationMs: env.now() - since })
        if (fiber !== undefined) fibers.push(fiber)
      }
      running.clear()
      return Fiber.interruptAll(fibers)
    }
  }
}

/** Milliseconds for what comes before a handler that may take for ever. */
const startsWithin = 20_000

const nameOf = ({ callId, tool, agent }: CallInfo) => ({ callId, tool, agent })

const failed = (error: ToolError<never>) => ({ _tag: "Failed", error }) as const
