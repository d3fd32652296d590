import * as Exit from "effect/Exit"
import { forgetOldest } from "../../common/forgetOldest.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { CallInfo } from "../../SessionEvent.js"
import type { Tool } from "../../Tool.js"
import { DuplicateCall, type ToolError } from "../../ToolError.js"
import type { Settlement } from "../../tool/settle.js"
import type { Parts } from "../Parts.js"
import { outputEvent, resultEvent, textOf, unsendable } from "./Answer.js"
import { checked, truncated } from "./OutputLimit.js"
import type { Running } from "./RunningCalls.js"

/** Whether the model goes on: as the tool's options say, always unless the tool is silent, or never. */
export type Replies = "as the tool says" | "unless silent" | "never"

/** An output that was sent. */
interface Sent {
  readonly call: CallInfo
  readonly text: string
  /** Whether the model should go on once it has the output. */
  readonly reply: boolean
  /** The server refused it once, because it did not know the call. */
  readonly isSecond?: true
}

/** What the model reads as the result of a call. */
interface Output {
  readonly call: CallInfo
  readonly text: string
  /** Whether the model should go on once it has the output. */
  readonly reply: boolean
  /** Whether this is the last output for the call. */
  readonly isLast: boolean
  /** Is told whether the output was handed to an open connection, before the model is asked to go on. */
  readonly handed: (isHanded: boolean) => void
  /** Runs after everything else. */
  readonly end: () => void
}

/** Sends the outputs of calls that have ended, and does what follows from them. */
export class CallOutputs<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>

  /** The calls that are over once the server has the item, by item id. */
  readonly #closing = new Map<string, string>()
  /** The output that each item carries, while the server may still refuse it. */
  readonly #lastOutputs = new Map<string, Sent>()

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  /**
   * Sends the output, then publishes the event, then asks for the next response, or ends the session if the tool's
   * options say so.
   */
  settled(call: Running<E, R>, result: Settlement<E>, replies: Replies = "as the tool says"): void {
    const { calls, options, outbox, telemetry } = this.#session
    const { info, phase, since, span } = call
    if (!calls.running.remove(info.callId)) return
    const settlement = checked(result, info, options.outputLimit)
    const failed = settlement._tag === "Failed"
    // A tool that is not there has no options.
    const tool = failed && settlement.error._tag === "ToolNotFound" ? undefined : call.tool
    const whole = textOf(settlement, options.describe, (message, reason) =>
      outbox.publish({ _tag: "FormatterFailed", call: info, message, reason })
    )
    const text = truncated(whole, options.outputLimit.maxLength)
    const terminates = failed && ends(tool, settlement.error)
    const isSilentFailure = failed && tool?.policy.onFailure === "silent" && replies === "as the tool says"
    const mayReply = replies !== "never" && !terminates && tool?.policy.reply !== "silent" && !isSilentFailure
    const reply = mayReply && !calls.ledger.isWithdrawn(info.responseId)
    const output: Output = {
      call: info,
      text,
      reply,
      isLast: true,
      handed: (isHanded) => {
        telemetry.callEnded(span, failed ? settlement.error : undefined)
        if (failed && settlement.error._tag === "ToolDefect") {
          outbox.run(telemetry.died(info, settlement.error, span))
        }
        if (!isHanded) outbox.publish({ _tag: "OutputDeferred", call: info })
        this.#noteCut(info, whole, text)
        const durationMs = this.#session.now() - since
        outbox.publish(
          failed
            ? { _tag: "ToolFailed", call: info, error: settlement.error, output: text, durationMs }
            : { _tag: "ToolSucceeded", call: info, output: text, durationMs }
        )
      },
      end: () => {
        if (failed) this.#terminateIfAsked(tool, settlement.error)
      }
    }
    if (phase === "Acknowledged") this.#deliver(output)
    else this.#answer(output)
  }

  /** Answers a deferred call at once, when its handler starts. */
  acknowledge(call: Running<E, R>, acknowledgement: string): void {
    const { calls, options, outbox } = this.#session
    const { info, tool } = call
    const text = truncated(acknowledgement, options.outputLimit.maxLength)
    call.phase = "Acknowledged"
    this.#answer({
      call: info,
      text,
      reply: tool?.policy.reply !== "silent" && !calls.ledger.isWithdrawn(info.responseId),
      isLast: false,
      handed: (isHanded) => {
        if (!isHanded) outbox.publish({ _tag: "OutputDeferred", call: info })
        this.#noteCut(info, acknowledgement, text)
        outbox.publish({ _tag: "ToolDeferred", call: info, output: text })
      },
      end: () => undefined
    })
  }

  /** A call with the id of another call cannot have an output: the output belongs to the other call. */
  conflicting(call: CallInfo, tool: Tool | undefined): void {
    const { agent, callId } = call
    const error = new DuplicateCall({ callId, tool: call.tool, agent, arguments: call.arguments })
    this.#session.outbox.publish({ _tag: "ToolFailed", call, error, output: undefined, durationMs: 0 })
    this.#terminateIfAsked(tool, error)
  }

  /**
   * Another connection has the call in its conversation: sends the same output under another id. With `same`, the
   * server may already have the output: it takes an item only once.
   */
  sendAgain(call: CallInfo, text: string, as: "another" | "same"): void {
    const { calls, connections, newId, outbox } = this.#session
    const { callId } = call
    const known = Array.from(this.#lastOutputs).findLast(([, one]) => one.call.callId === callId)
    const outputItemId = (as === "same" ? known?.[0] : undefined) ?? newId("out")
    if (!this.#isResultDue(callId)) this.#closes(outputItemId, callId)
    // Keep the values from when the output was made, if it was made in this process.
    this.#remember(outputItemId, { call: known?.[1].call ?? call, reply: known?.[1].reply ?? true, text })
    outbox.send(outputEvent(outputItemId, callId, text), (isHanded) => {
      if (isHanded) calls.step({ _tag: "OutputSent", callId, outputItemId, epoch: connections.epoch })
    })
  }

  /** The server has this item. */
  acknowledged(itemId: string): void {
    const callId = this.#closing.get(itemId)
    if (callId === undefined) return
    this.#closing.delete(itemId)
    this.#session.recorder.call(callId, { _tag: "Acknowledged", outputItemId: itemId })
  }

  /** Returns whether the refused event was the output of a call. */
  refused(eventId: string, { code, message }: ServerError): boolean {
    const { calls, outbox, responses, retelling } = this.#session
    const output = this.#lastOutputs.get(eventId)
    if (output === undefined) return false
    this.#lastOutputs.delete(eventId)
    const { call, isSecond, reply, text } = output
    const isUnknownCall = code === "invalid_tool_call_id"
    // The server first refused the call itself, and was sent it again: after that, it takes the output.
    if (isUnknownCall && isSecond === undefined && retelling.isToldAgain(call.callId)) {
      const outputItemId = this.#replace(eventId, call, text)
      this.#remember(outputItemId, { ...output, isSecond: true })
      // Earlier requests do not include this output.
      if (reply && !calls.ledger.isWithdrawn(call.responseId)) {
        const responseIds = call.responseId === undefined ? [] : [call.responseId]
        responses.ask([outputItemId], { callIds: [call.callId], responseIds })
      }
      return true
    }
    outbox.publish({ _tag: "OutputRefused", call, code: code ?? undefined, message })
    // A call that the server does not know cannot be answered, on this or another connection. Any other call gets a
    // neutral output.
    if (isUnknownCall) {
      calls.step({ _tag: "OutputAcknowledged", outputItemId: eventId })
      this.acknowledged(eventId)
    } else this.#replace(eventId, call, unsendable)
    return true
  }

  #answer({ call, end, handed, isLast, reply, text }: Output): void {
    const { calls, connections, newId, outbox, recorder } = this.#session
    const { callId } = call
    const outputItemId = newId("out")
    recorder.call(callId, { _tag: "Settled", output: text, reply, ...(isLast ? {} : ({ deferred: true } as const)) })
    if (isLast) this.#closes(outputItemId, callId)
    calls.step({ _tag: "Settled", callId, output: text, reply })
    this.#remember(outputItemId, { call, text, reply })
    outbox.send(outputEvent(outputItemId, callId, text), (isHanded) => {
      handed(isHanded)
      if (isHanded) calls.step({ _tag: "OutputSent", callId, outputItemId, epoch: connections.epoch })
      end()
    })
  }

  #deliver({ call: { callId, tool }, end, handed, reply, text }: Output): void {
    const { newId, outbox, responses } = this.#session
    const id = newId("res")
    this.#closes(id, callId)
    outbox.send(resultEvent(id, tool, callId, text), (isHanded) => {
      handed(isHanded)
      if (isHanded && reply) responses.ask([id], { callIds: [callId] })
      end()
    })
  }

  /** Sends another output in place of one that the server refused. Returns the id of its item. */
  #replace(refusedItemId: string, { callId }: CallInfo, output: string): string {
    const { calls, newId, outbox } = this.#session
    const outputItemId = newId("out")
    if (!this.#isResultDue(callId)) this.#closes(outputItemId, callId)
    calls.step({ _tag: "OutputReplaced", refusedItemId, outputItemId, output })
    outbox.send(outputEvent(outputItemId, callId, output))
    return outputItemId
  }

  #remember(outputItemId: string, output: Sent): void {
    this.#lastOutputs.set(outputItemId, output)
    forgetOldest(this.#lastOutputs, maxOutputs)
  }

  #closes(itemId: string, callId: string): void {
    this.#closing.set(itemId, callId)
    forgetOldest(this.#closing, maxClosing)
  }

  /** An acknowledgement does not close the call: the result follows. */
  #isResultDue(callId: string): boolean {
    return this.#session.calls.running.get(callId)?.phase === "Acknowledged"
  }

  #noteCut(call: CallInfo, whole: string, text: string): void {
    if (text === whole) return
    const limit = this.#session.options.outputLimit.maxLength
    this.#session.outbox.publish({ _tag: "OutputTruncated", call, length: whole.length, limit })
  }

  #terminateIfAsked(tool: Tool | undefined, error: ToolError<E>): void {
    if (ends(tool, error)) this.#session.outbox.end(Exit.fail(error))
  }
}

/** Far more than the outputs that a server can have left unacknowledged. */
const maxOutputs = 64

/** Far more than the outputs in transit to a server that acknowledges. */
const maxClosing = 256

/** Whether the session ends with this failure. A call that the model takes back has not failed. */
const ends = (tool: Tool | undefined, error: ToolError): boolean =>
  tool?.policy.onFailure === "terminate" && !(error._tag === "ToolInterrupted" && error.by === "model")
