import * as Exit from "effect/Exit"
import type * as Ledger from "../../machine/CallLedger.js"
import { forgetOldest } from "../../machine/forgetOldest.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import type { CallInfo, SessionEvent } from "../../SessionEvent.js"
import type { Tool } from "../../Tool.js"
import { type Describe, DuplicateCall, type ToolError } from "../../ToolError.js"
import type { Settlement } from "../../tool/settle.js"
import type { Outbox } from "../connection/Outbox.js"
import type { Recorder } from "../Recorder.js"
import type { Spans } from "../Spans.js"
import { outputEvent, resultEvent, textOf, unsendable } from "./Answer.js"
import { checked, type OutputLimit, truncated } from "./OutputLimit.js"
import type { Running, RunningCalls } from "./RunningCalls.js"

/** What the model reads of a call that has ended, and what follows from it. */
export interface CallOutputs<E, R> {
  /** The output first, then the event, then the next response, or the end if the tool wants it. */
  readonly settled: (call: Running<E, R>, settlement: Settlement<E>, replies?: Replies) => void
  /** Answers a deferred call at once, now that it runs. */
  readonly acknowledge: (call: Running<E, R>, acknowledgement: string) => void
  /** A call with the id of another has no output: that belongs to the other. */
  readonly conflicting: (call: CallInfo, tool: Tool | undefined) => void
  /**
   * Another connection has the call in its conversation: the same output, under another id. Under the `same`, where the
   * server may have it: it takes an item once.
   */
  readonly sendAgain: (call: CallInfo, text: string, as: "another" | "same") => void
  /** The server has this item. */
  readonly acknowledged: (itemId: string) => void
  /** Whether the refused event was the output of a call. */
  readonly refused: (eventId: string, error: ServerError) => boolean
}

export interface Environment<E, R> {
  readonly running: Pick<RunningCalls<E, R>, "get" | "remove">
  readonly describe: Describe
  readonly outputLimit: OutputLimit
  /** The number of the connection. */
  readonly epoch: () => number
  /** The server did not take the call itself at first, and is told it once more: behind that, it takes the output. */
  readonly isToldAgain: (callId: string) => boolean
  readonly now: () => number
  readonly newId: (prefix: string) => string
  readonly outbox: Pick<Outbox<SessionEvent<E>, ToolError<E>, R>, "send" | "publish" | "end">
  readonly spans: Pick<Spans, "end">
  readonly recorder: Pick<Recorder, "call">
  /** Tells the ledger. */
  readonly step: (
    input: Extract<Ledger.Input, { _tag: "Settled" | "OutputSent" | "OutputAcknowledged" | "OutputReplaced" }>
  ) => void
  /** The model has what it asked for and may go on. */
  readonly askToGoOn: (awaiting: ReadonlyArray<string>) => void
}

/** Whether the model is to go on: as the tool wants it, unless the tool wants none at all, or not. */
export type Replies = "as the tool says" | "unless silent" | "never"

/** An output on its way. */
interface Sent {
  readonly call: CallInfo
  readonly text: string
  /** Whether the model is to go on once it has it. */
  readonly reply: boolean
  /** The server refused it once, when it did not know the call. */
  readonly isSecond?: true
}

/** What the model is to read of a call. */
interface Output {
  readonly call: CallInfo
  readonly text: string
  /** Whether the model is to go on once it has it. */
  readonly reply: boolean
  /** Nothing follows for this call. */
  readonly isLast: boolean
  /** Hears whether it was handed to an open connection, before the model is asked to go on. */
  readonly handed: (isHanded: boolean) => void
  /** What comes after all else. */
  readonly end: () => void
}

export const make = <E, R>(env: Environment<E, R>): CallOutputs<E, R> => {
  const { outbox, recorder, spans, step } = env
  /** The calls that are over once the server has this item of theirs. */
  const closing = new Map<string, string>()
  /** Whose output an item is, while the server may still refuse it. */
  const lastOutputs = new Map<string, Sent>()

  const remember = (outputItemId: string, output: Sent): void => {
    lastOutputs.set(outputItemId, output)
    forgetOldest(lastOutputs, maxOutputs)
  }

  const closes = (itemId: string, callId: string): void => {
    closing.set(itemId, callId)
    forgetOldest(closing, maxClosing)
  }

  /** An acknowledgement closes no call: the result is to follow. */
  const isResultDue = (callId: string): boolean => env.running.get(callId)?.phase === "Acknowledged"

  const acknowledged = (itemId: string): void => {
    const callId = closing.get(itemId)
    if (callId === undefined) return
    closing.delete(itemId)
    recorder.call(callId, { _tag: "Acknowledged", outputItemId: itemId })
  }

  const answer = ({ call, end, handed, isLast, reply, text }: Output): void => {
    const { callId } = call
    const outputItemId = env.newId("out")
    recorder.call(callId, { _tag: "Settled", output: text, reply, ...(isLast ? {} : ({ deferred: true } as const)) })
    if (isLast) closes(outputItemId, callId)
    step({ _tag: "Settled", callId, output: text, reply })
    remember(outputItemId, { call, text, reply })
    outbox.send(outputEvent(outputItemId, callId, text), (isHanded) => {
      handed(isHanded)
      if (isHanded) step({ _tag: "OutputSent", callId, outputItemId, epoch: env.epoch() })
      end()
    })
  }

  const deliver = ({ call: { callId, tool }, end, handed, reply, text }: Output): void => {
    const id = env.newId("res")
    closes(id, callId)
    outbox.send(resultEvent(id, tool, callId, text), (isHanded) => {
      handed(isHanded)
      if (isHanded && reply) env.askToGoOn([id])
      end()
    })
  }

  const noteCut = (call: CallInfo, whole: string, text: string): void => {
    if (text === whole) return
    outbox.publish({ _tag: "OutputTruncated", call, length: whole.length, limit: env.outputLimit.maxLength })
  }

  const terminateIfAsked = (tool: Tool | undefined, error: ToolError<E>): void => {
    if (tool?.policy.onFailure === "terminate") outbox.end(Exit.fail(error))
  }

  return {
    settled: ({ info, phase, since, span, tool }, result, replies = "as the tool says") => {
      if (!env.running.remove(info.callId)) return
      const settlement = checked(result, info, env.outputLimit)
      const failed = settlement._tag === "Failed"
      const whole = textOf(settlement, env.describe, (message, reason) =>
        outbox.publish({ _tag: "FormatterFailed", call: info, message, reason })
      )
      const text = truncated(whole, env.outputLimit.maxLength)
      const terminates = failed && tool?.policy.onFailure === "terminate"
      const isSilentFailure = failed && tool?.policy.onFailure === "silent" && replies === "as the tool says"
      const reply = replies !== "never" && !terminates && tool?.policy.reply !== "silent" && !isSilentFailure
      const output: Output = {
        call: info,
        text,
        reply,
        isLast: true,
        handed: (isHanded) => {
          spans.end(span, { outcome: failed ? settlement.error._tag : "Succeeded" })
          if (!isHanded) outbox.publish({ _tag: "OutputDeferred", call: info })
          noteCut(info, whole, text)
          const durationMs = env.now() - since
          outbox.publish(
            failed
              ? { _tag: "ToolFailed", call: info, error: settlement.error, output: text, durationMs }
              : { _tag: "ToolSucceeded", call: info, output: text, durationMs }
          )
        },
        end: () => {
          if (failed) terminateIfAsked(tool, settlement.error)
        }
      }
      if (phase === "Acknowledged") deliver(output)
      else answer(output)
    },
    acknowledge: (call, acknowledgement) => {
      const { info, tool } = call
      const text = truncated(acknowledgement, env.outputLimit.maxLength)
      call.phase = "Acknowledged"
      answer({
        call: info,
        text,
        reply: tool?.policy.reply !== "silent",
        isLast: false,
        handed: (isHanded) => {
          if (!isHanded) outbox.publish({ _tag: "OutputDeferred", call: info })
          noteCut(info, acknowledgement, text)
          outbox.publish({ _tag: "ToolDeferred", call: info, output: text })
        },
        end: () => undefined
      })
    },
    conflicting: (call, tool) => {
      const { agent, callId } = call
      const error = new DuplicateCall({ callId, tool: call.tool, agent, arguments: call.arguments })
      outbox.publish({ _tag: "ToolFailed", call, error, output: undefined, durationMs: 0 })
      terminateIfAsked(tool, error)
    },
    sendAgain: (call, text, as) => {
      const { callId } = call
      const known = Array.from(lastOutputs).findLast(([, one]) => one.call.callId === callId)
      const outputItemId = (as === "same" ? known?.[0] : undefined) ?? env.newId("out")
      if (!isResultDue(callId)) closes(outputItemId, callId)
      // As it was known when it was made, where that was in this process.
      remember(outputItemId, { call: known?.[1].call ?? call, reply: known?.[1].reply ?? true, text })
      outbox.send(outputEvent(outputItemId, callId, text), (isHanded) => {
        if (isHanded) step({ _tag: "OutputSent", callId, outputItemId, epoch: env.epoch() })
      })
    },
    acknowledged,
    refused: (eventId, { code, message }) => {
      const output = lastOutputs.get(eventId)
      if (output === undefined) return false
      lastOutputs.delete(eventId)
      const { call, isSecond, reply, text } = output
      const replace = (replacement: string): string => {
        const outputItemId = env.newId("out")
        if (!isResultDue(call.callId)) closes(outputItemId, call.callId)
        step({ _tag: "OutputReplaced", refusedItemId: eventId, outputItemId, output: replacement })
        outbox.send(outputEvent(outputItemId, call.callId, replacement))
        return outputItemId
      }
      const isUnknownCall = code === "invalid_tool_call_id"
      if (isUnknownCall && isSecond === undefined && env.isToldAgain(call.callId)) {
        const outputItemId = replace(text)
        remember(outputItemId, { ...output, isSecond: true })
        // What was asked for before does not know of it.
        if (reply) env.askToGoOn([outputItemId])
        return true
      }
      outbox.publish({ _tag: "OutputRefused", call, code: code ?? undefined, message })
      // A call that the server does not know can not be answered, here or on another connection; any other may have a
      // plainer output.
      if (isUnknownCall) {
        step({ _tag: "OutputAcknowledged", outputItemId: eventId })
        acknowledged(eventId)
      } else replace(unsendable)
      return true
    }
  }
}

/** Far more than the server can have before it that it has not taken yet. */
const maxOutputs = 64

/** Far more than are on their way to a server that acknowledges. */
const maxClosing = 256
