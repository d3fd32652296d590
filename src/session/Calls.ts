import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import * as Ledger from "../machine/CallLedger.js"
import { forgetOldest } from "../machine/forgetOldest.js"
import type { FunctionCallItem } from "../protocol/Item.js"
import type { ServerError } from "../protocol/ServerEvent.js"
import type { CallInfo, SessionEvent } from "../SessionEvent.js"
import type { Tool } from "../Tool.js"
import {
  type Describe,
  DuplicateCall,
  type ToolError,
  ToolInterrupted,
  ToolNotFound,
  ToolOverloaded,
  ToolTimedOut
} from "../ToolError.js"
import type { Decision, Settlement } from "../tool/settle.js"
import { outputEvent, resultEvent, textOf, unsendable } from "./Answer.js"
import * as CallFiber from "./CallFiber.js"
import type { Offer } from "./Offer.js"
import type { Outbox } from "./Outbox.js"
import type { Spans } from "./Spans.js"

/** A call that waits for the application. `deadline` is in milliseconds since 1970. */
export interface PendingApproval {
  readonly call: CallInfo
  readonly deadline: number
}

export interface Environment<E, R> extends CallFiber.Environment<E> {
  /** Who has the conversation now. */
  readonly offer: () => Offer<E, R>
  readonly ledger: Ledger.Options
  readonly describe: Describe
  readonly epoch: number
  readonly outbox: Pick<Outbox<SessionEvent<E>, ToolError<E>, R>, "send" | "publish" | "run" | "end">
  readonly spans: Spans
  /** The model has what it asked for and may go on. */
  readonly askToGoOn: (awaiting: ReadonlyArray<string>) => void
  /** The model is to say this, in its own words, while the caller waits. */
  readonly say: (text: string) => void
}

/** The way of a call from the model's request to the output that it reads. */
export interface Calls<E, R = unknown> {
  /** Whom a response is for: the agent that had the conversation when it began. */
  readonly offerOf: (responseId: string | undefined) => Offer<E, R>
  /** Calls of this response are for the agent that has the conversation now, also if another takes over meanwhile. */
  readonly responseBegan: (responseId: string) => void
  readonly arrived: (item: FunctionCallItem, responseId: string | undefined) => void
  /** Listed at the end of its response: taken only if it was never seen. */
  readonly listed: (item: FunctionCallItem, responseId: string | undefined) => void
  readonly abandoned: (item: FunctionCallItem, responseId: string | undefined) => void
  readonly reported: (callId: string, report: CallFiber.Report<E>) => void
  readonly responseEnded: (responseId: string) => void
  readonly itemAcknowledged: (itemId: string) => void
  readonly turnBegan: () => void
  /** When a call that has not come to its handler is given up, if one is on its way there. */
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
  /** Whether the refused event was the output of a call. */
  readonly outputRefused: (eventId: string, error: ServerError) => boolean
  /** The user interrupted: tools that want to hear of it are stopped. */
  readonly interrupt: () => void
  /** Whether a call waited for this decision. `always`: it stands for all calls of this tool by this agent. */
  readonly decide: (callId: string, decision: Decision, always: boolean) => boolean
  readonly pendingApprovals: () => ReadonlyArray<PendingApproval>
  /** Publishes every call that has no output, and stops its fiber. */
  readonly close: () => Effect.Effect<void>
}

interface Running<E, R> {
  readonly info: CallInfo
  readonly tool: Tool<string, E, R> | undefined
  readonly since: number
  readonly span: Tracer.Span
  /** A deferred call has its output, an acknowledgement, and its result follows as an item of its own. */
  phase: "Open" | "Acknowledged"
  approval: { readonly decision: Deferred.Deferred<Decision>; readonly deadline: number } | undefined
  fiber: Fiber.RuntimeFiber<unknown> | undefined
  /** The handler has a time of its own; what comes before it, decoding and checks, must be over by this one. */
  startsBy: number | undefined
}

export const make = <E, R>(env: Environment<E, R>): Calls<E, R> => {
  const { outbox, spans } = env
  const ledger = Ledger.make(env.ledger)
  const running = new Map<string, Running<E, R>>()
  /** Whom the calls of a response are for; dropped when it has ended. */
  const offers = new Map<string, Offer<E, R>>()
  /** Whose output an item is, while the server may still refuse it. */
  const lastOutputs = new Map<string, CallInfo>()
  const standingDecisions = new Map<string, Decision>()
  /** Which calls came in which responses, for those list them again at their end. */
  const lastArrived = new Set<string>()
  /** Said once, though a response lists its items again at its end. */
  const lastAbandoned: Array<string> = []

  const step = (input: Ledger.Input): void => {
    for (const command of ledger.step(input)) carryOut(command)
  }

  const carryOut = (command: Ledger.Command): void => {
    switch (command._tag) {
      case "Start":
        begin(command.call)
        break
      case "TripBreaker": {
        const { limit } = command
        const call = register(command.call)
        settled(
          call,
          { _tag: "Failed", error: new ToolOverloaded({ ...nameOf(call.info), limit, per: "turn" }) },
          false
        )
        break
      }
      case "NoteRepeated":
        outbox.publish({ _tag: "ToolCallRepeated", call: infoOf(command.call) })
        break
      case "RefuseConflicting": {
        const info = infoOf(command.call)
        const error = new DuplicateCall({ ...nameOf(info), arguments: info.arguments })
        outbox.publish({ _tag: "ToolFailed", call: info, error, output: undefined, durationMs: 0 })
        terminateIfAsked(offerOf(command.call.responseId).functions.get(info.tool), error)
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

  const offerOf = (responseId: string | undefined): Offer<E, R> =>
    (responseId === undefined ? undefined : offers.get(responseId)) ?? env.offer()

  const infoOf = (call: Ledger.Call): CallInfo => ({
    callId: call.callId,
    tool: call.name,
    agent: offerOf(call.responseId).agent.name,
    responseId: call.responseId,
    arguments: call.arguments
  })

  const register = (call: Ledger.Call): Running<E, R> => {
    const info = infoOf(call)
    const entry: Running<E, R> = {
      info,
      tool: offerOf(call.responseId).functions.get(info.tool),
      since: env.now(),
      span: spans.callStarted(info),
      phase: "Open",
      approval: undefined,
      startsBy: undefined,
      fiber: undefined
    }
    running.set(info.callId, entry)
    return entry
  }

  const begin = (wire: Ledger.Call): void => {
    const call = register(wire)
    const { info, tool } = call
    if (tool === undefined) {
      const available = [...offerOf(wire.responseId).functions.keys()]
      settled(call, { _tag: "Failed", error: new ToolNotFound({ ...nameOf(info), available }) })
      return
    }
    const limit = tool.policy.concurrency
    if (limit !== Number.POSITIVE_INFINITY && countRunning(tool) > limit) {
      settled(call, { _tag: "Failed", error: new ToolOverloaded({ ...nameOf(info), limit, per: "concurrency" }) })
      return
    }
    const { timeout } = tool.policy
    call.startsBy = call.since + (Duration.isFinite(timeout) ? Duration.toMillis(timeout) : startsWithin)
    outbox.run(
      Effect.tap(CallFiber.start(tool, info, call.span, env), (fiber) =>
        Effect.sync(() => {
          call.fiber = fiber
        })
      )
    )
  }

  const countRunning = (tool: Tool): number => {
    let count = 0
    // By its policy: a tool that is guarded for an agent is another object, with the same one.
    for (const call of running.values()) if (call.tool?.policy === tool.policy) count += 1
    return count
  }

  /** The output first, then the event, then the next response, or the end if the tool wants it. */
  const settled = (call: Running<E, R>, settlement: Settlement<E>, mayReply = true): void => {
    const { info, span, tool } = call
    if (!running.delete(info.callId)) return
    const failed = settlement._tag === "Failed"
    const output = textOf(settlement, env.describe, (message) =>
      outbox.publish({ _tag: "FormatterFailed", call: info, message })
    )
    const terminates = failed && tool?.policy.onFailure === "terminate"
    const reply =
      mayReply && !terminates && tool?.policy.reply !== "silent" && !(failed && tool?.policy.onFailure === "silent")
    const handed = (isHanded: boolean): void => {
      spans.end(span, { outcome: failed ? settlement.error._tag : "Succeeded" })
      if (!isHanded) outbox.publish({ _tag: "OutputDeferred", call: info })
      const durationMs = env.now() - call.since
      outbox.publish(
        failed
          ? { _tag: "ToolFailed", call: info, error: settlement.error, output, durationMs }
          : { _tag: "ToolSucceeded", call: info, output, durationMs }
      )
    }
    const end = (): void => {
      if (failed) terminateIfAsked(tool, settlement.error)
    }
    if (call.phase === "Acknowledged") deliver(info, output, reply, handed, end)
    else answer(info, output, reply, handed, end)
  }

  const answer = (
    info: CallInfo,
    output: string,
    reply: boolean,
    handed: (isHanded: boolean) => void,
    end: () => void
  ): void => {
    const { callId } = info
    const outputItemId = env.newId("out")
    step({ _tag: "Settled", callId, output, reply })
    lastOutputs.set(outputItemId, info)
    forgetOldest(lastOutputs, maxLiveResponses)
    outbox.send(outputEvent(outputItemId, callId, output), (isHanded) => {
      handed(isHanded)
      if (isHanded) step({ _tag: "OutputSent", callId, outputItemId, epoch: env.epoch })
      end()
    })
  }

  const deliver = (
    { callId, tool }: CallInfo,
    output: string,
    reply: boolean,
    handed: (isHanded: boolean) => void,
    end: () => void
  ): void => {
    const id = env.newId("res")
    outbox.send(resultEvent(id, tool, callId, output), (isHanded) => {
      handed(isHanded)
      if (isHanded && reply) env.askToGoOn([id])
      end()
    })
  }

  /** Answers a deferred call at once, now that it runs. */
  const acknowledge = (call: Running<E, R>, acknowledgement: string): void => {
    const { info } = call
    call.phase = "Acknowledged"
    answer(
      info,
      acknowledgement,
      true,
      () => outbox.publish({ _tag: "ToolDeferred", call: info, output: acknowledgement }),
      () => undefined
    )
  }

  const terminateIfAsked = (tool: Tool | undefined, error: ToolError<E>): void => {
    if (tool?.policy.onFailure === "terminate") outbox.end(Exit.fail(error))
  }

  const arrived: Calls<E>["arrived"] = (item, responseId) => {
    const callId = item.call_id || item.id
    if (!callId) {
      const message = `A call of ${JSON.stringify(item.name)} has neither a call id nor an item id: it can not be answered.`
      outbox.publish({ _tag: "ProtocolViolation", type: "response.output_item.done", message, excerpt: item.arguments })
      return
    }
    const { name, arguments: text } = item
    lastArrived.add(keyOf(item, responseId))
    forgetOldest(lastArrived, maxListed)
    step({ _tag: "Arrived", call: { callId, itemId: item.id ?? undefined, responseId, name, arguments: text } })
  }

  const decide: Calls<E>["decide"] = (callId, decision, always) => {
    const call = running.get(callId)
    if (call?.approval === undefined) return false
    if (always) standingDecisions.set(standingKey(call.info), decision)
    Deferred.unsafeDone(call.approval.decision, Exit.succeed(decision))
    call.approval = undefined
    step({ _tag: "ApprovalDecided", callId })
    if (decision._tag === "Approved") outbox.publish({ _tag: "ToolApproved", call: call.info })
    return true
  }

  return {
    offerOf,
    arrived,
    listed: (item, responseId) => {
      if (!lastArrived.has(keyOf(item, responseId))) arrived(item, responseId)
    },
    abandoned: (item, responseId) => {
      const { name, arguments: text } = item
      const callId = item.call_id || item.id || ""
      if (ledger.state(callId) !== undefined || lastAbandoned.includes(callId)) return
      lastAbandoned.push(callId)
      if (lastAbandoned.length > 16) lastAbandoned.shift()
      const call = infoOf({ callId, itemId: undefined, responseId, name, arguments: text })
      outbox.publish({ _tag: "ToolCallAbandoned", call })
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
          outbox.publish({ _tag: "ToolStarted", call: info })
          if (call.tool?.policy.deferred !== undefined) acknowledge(call, call.tool.policy.deferred)
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
        case "ApprovalNeeded": {
          const { decision, deadline } = report
          call.startsBy = undefined
          call.approval = { decision, deadline }
          const standing = standingDecisions.get(standingKey(info))
          if (standing !== undefined) {
            step({ _tag: "ApprovalAwaited", callId })
            decide(callId, standing, false)
            break
          }
          outbox.publish({ _tag: "ToolApprovalRequested", call: info, deadline })
          step({ _tag: "ApprovalAwaited", callId })
          break
        }
        case "ApprovalExpired":
          decide(callId, { _tag: "Rejected", reason: "it was not decided in time.", by: "deadline" }, false)
          break
        case "Settled":
          settled(call, report.settlement)
          break
      }
    },
    responseBegan: (responseId) => {
      offers.set(responseId, env.offer())
      // A response whose end never came is forgotten some time.
      forgetOldest(offers, maxLiveResponses)
    },
    responseEnded: (responseId) => {
      step({ _tag: "ResponseEnded", responseId })
      offers.delete(responseId)
    },
    itemAcknowledged: (outputItemId) => step({ _tag: "OutputAcknowledged", outputItemId }),
    turnBegan: () => step({ _tag: "TurnBegan" }),
    deadline: () => {
      let earliest: number | undefined
      for (const { startsBy } of running.values()) {
        if (startsBy !== undefined && (earliest === undefined || startsBy < earliest)) earliest = startsBy
      }
      return earliest
    },
    timePassed: () => {
      for (const call of Array.from(running.values())) {
        const { fiber, info, since, startsBy } = call
        if (startsBy === undefined || startsBy > env.now()) continue
        if (fiber !== undefined) outbox.run(Fiber.interruptFork(fiber))
        settled(call, { _tag: "Failed", error: new ToolTimedOut({ ...nameOf(info), afterMs: startsBy - since }) })
      }
    },
    outputRefused: (eventId, { code, message }) => {
      const info = lastOutputs.get(eventId)
      if (info === undefined) return false
      lastOutputs.delete(eventId)
      outbox.publish({ _tag: "OutputRefused", call: info, code: code ?? undefined, message })
      // A call that the server does not know can not be answered; any other may have a plainer output.
      if (code !== "invalid_tool_call_id") {
        outbox.send(outputEvent(env.newId("out"), info.callId, unsendable))
      }
      return true
    },
    interrupt: () => {
      for (const { fiber, tool } of running.values()) {
        if (fiber !== undefined && tool?.policy.onInterrupt === "cancel") outbox.run(Fiber.interruptFork(fiber))
      }
    },
    decide,
    pendingApprovals: () =>
      Array.from(running.values()).flatMap(({ info, approval }) =>
        approval === undefined ? [] : [{ call: info, deadline: approval.deadline }]
      ),
    close: () => {
      const fibers: Array<Fiber.RuntimeFiber<unknown>> = []
      for (const { info, fiber, since, span } of running.values()) {
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

/** A decision that stands is one for an agent and a tool, never for a tool of the same name elsewhere. */
const standingKey = ({ agent, tool }: CallInfo): string => JSON.stringify([agent, tool])

/** A call id alone does not do: some servers count them anew in each response. */
const keyOf = ({ call_id, id }: FunctionCallItem, responseId: string | undefined): string =>
  JSON.stringify([responseId, call_id || id])

/** Far more calls than one response makes. */
const maxListed = 256

/** Milliseconds for what comes before a handler that may take for ever. */
const startsWithin = 20_000

/** Far more than can be alive at a time. */
const maxLiveResponses = 64

const nameOf = ({ callId, tool, agent }: CallInfo) => ({ callId, tool, agent })
