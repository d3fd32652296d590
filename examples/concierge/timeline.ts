/** Turns what a session publishes into lines that a person can follow. */
import * as Cause from "effect/Cause"
import { Conversation, SessionEvent, type ToolError } from "effect-realtime"
import type { Verdict } from "./judge.js"
import { type Paint, type Terminal, visible, wrap } from "./terminal.js"

export interface Timeline {
  /** The lines for an event; none for one that is not shown here. `now` is in milliseconds. */
  readonly show: (event: SessionEvent.SessionEvent, now: number) => ReadonlyArray<string>
}

const timeWidth = 9
const labelWidth = 11
const indent = timeWidth + labelWidth

export const make = (terminal: Terminal, options: { readonly showsGuest: boolean }): Timeline => {
  const { bold, cyan, dim, green, red, yellow } = terminal
  const announced = new Set<string>()
  let since: number | undefined

  const entry = (
    now: number,
    paint: Paint,
    label: string,
    text: string,
    ...more: ReadonlyArray<string>
  ): ReadonlyArray<string> => {
    since ??= now
    const time = `${((now - since) / 1000).toFixed(2)} s`.padStart(timeWidth - 2)
    const [first = "", ...rest] = wrap(visible(text), terminal.width - indent)
    const strong = paint === red ? first.replace(/^\S+/, red) : first
    return [
      `${dim(time)}  ${paint(label.padEnd(labelWidth))}${strong}`,
      ...rest.map((line) => " ".repeat(indent) + line),
      ...more
        .flatMap((text) => wrap(visible(text), terminal.width - indent))
        .map((line) => " ".repeat(indent) + dim(line))
    ]
  }

  /** A call is shown once: when it starts, or asks, or has failed before it could do either. */
  const announce = (call: SessionEvent.CallInfo, now: number): ReadonlyArray<string> => {
    if (announced.has(call.callId)) return []
    announced.add(call.callId)
    return entry(now, cyan, "  call", `${call.tool} ${call.arguments}`)
  }

  const show: Timeline["show"] = (event, now) => {
    switch (event._tag) {
      case "SessionStarted":
        return entry(now, dim, "session", `with ${event.agent} (${event.sessionId})`)
      case "ItemAdded": {
        const { item } = event
        if (item._tag !== "Message" || item.role !== "user" || !options.showsGuest) return []
        // Speech is shown when its transcript arrives.
        const text = Conversation.textOf(item)
        return text === "" ? [] : ["", ...entry(now, bold, "guest", text)]
      }
      case "UserTranscriptCompleted":
        return options.showsGuest ? ["", ...entry(now, bold, "guest", event.transcript)] : []
      case "TextCompleted":
        return entry(now, bold, "concierge", event.text)
      case "ToolStarted":
        return announce(event.call, now)
      case "ToolApprovalRequested":
        return [...announce(event.call, now), ...entry(now, yellow, "  asks", "The guest must approve this call.")]
      case "ToolApproved":
        return entry(now, green, "  approved", event.call.tool)
      case "ToolProgress":
        return entry(now, dim, "  progress", `${event.call.tool}: ${event.message}`)
      case "ToolSucceeded":
        return [
          ...announce(event.call, now),
          ...entry(now, green, "  ok", `${event.call.tool} after ${event.durationMs} ms`, read(event.output))
        ]
      case "ToolFailed":
        return [
          ...announce(event.call, now),
          ...entry(
            now,
            red,
            "  failed",
            `${nameOf(event.error)} in ${event.call.tool} after ${event.durationMs} ms`,
            ...onlyHere(event.error),
            event.output === undefined ? "the model had its output before, or is gone" : read(event.output)
          )
        ]
      case "ResponseDone":
        if (event.status === "completed") return []
        return entry(now, yellow, "response", `${event.status}${event.reason === undefined ? "" : `: ${event.reason}`}`)
      case "SessionEnded":
        return event.error === undefined ? [] : entry(now, red, "ended", `${event.error._tag}: ${event.error.message}`)
      default:
        return SessionEvent.isFailure(event) ? entry(now, red, "  failed", event._tag, JSON.stringify(event)) : []
    }
  }
  return { show }
}

const read = (output: string): string => `the model read: ${output === "" ? "(nothing)" : output.trim()}`

/** A failure of the tool's own is named with its own tag too. */
const nameOf = (error: ToolError.ToolError): string =>
  error._tag === "ToolFailure" ? `ToolFailure/${error.failureTag}` : error._tag

/** The part of a failure that only the application sees. */
const onlyHere = (error: ToolError.ToolError): ReadonlyArray<string> => {
  if (error._tag === "InvalidOutput") return [`only here: ${error.issue.split("\n").at(-1)?.replace(/^\W+/, "") ?? ""}`]
  if (error._tag !== "ToolDefect" || !Cause.isCause(error.defect)) return []
  return [`only here: ${Cause.pretty(error.defect).split("\n")[0] ?? ""}`]
}

/** The closing table. */
export const summary = (verdict: Verdict, terminal: Terminal): ReadonlyArray<string> => {
  const { bold, green, red } = terminal
  const row = (label: string, count: number, of: number): string => {
    const paint = count === of ? green : red
    return `  ${label.padEnd(20)}${paint(`${count} of ${of}`)}`
  }
  return [
    "",
    bold("  What the server recorded, and what the session published"),
    `  ${"responses".padEnd(20)}${verdict.responses}`,
    `  ${"calls".padEnd(20)}${verdict.calls}`,
    row("answered", verdict.answered, verdict.calls),
    row("failures published", verdict.published, verdict.failures),
    ...verdict.problems.map((problem) => red(`  ! ${visible(problem)}`)),
    verdict.problems.length === 0
      ? green("  Every call has its one output, and every failure was published.")
      : red("  Not every call was answered, or not every failure published.")
  ]
}
