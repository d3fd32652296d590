import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import { isFailure, type SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import type { Moment } from "./Observation.js"

/** Shorter texts occur by chance. */
const shortestSecret = 8

/** The message of a defect. */
const secretsOf = (defect: unknown): ReadonlyArray<string> => {
  const defects = Cause.isCause(defect) ? Array.from(Cause.defects(defect)) : [defect]
  return defects
    .flatMap((one) => (one instanceof Error ? [one.message] : typeof one === "string" ? [one] : []))
    .filter((text) => text.length >= shortestSecret)
}

const learnt = (event: SessionEvent): ReadonlyArray<string> =>
  event._tag === "ToolFailed" && event.error._tag === "ToolDefect" ? secretsOf(event.error.defect) : []

/** An application's value may contain cycles. */
const jsonOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return Inspectable.stringifyCircular(value)
  }
}

/** Everything that is readable when a value is printed, logged, or sent. */
const textOf = (value: unknown): string => {
  const text = jsonOf(value) ?? ""
  return value instanceof Error ? `${text} ${value.stack ?? ""} ${String(value)}` : text
}

/** Text from a server or a model may contain the words of a defect by chance. */
const isFromOutside = (event: SessionEvent): boolean =>
  event._tag === "ResponseDone" ||
  event._tag === "ServerErrorReceived" ||
  event._tag === "ProtocolViolation" ||
  event._tag === "ResponseRefused"

interface Words {
  readonly what: string
  readonly text: string
  /** Whether the session itself made it: then it contains no message of a defect. */
  readonly isOwn: boolean
}

const wordsOf = (moment: Moment): Words | undefined => {
  switch (moment._tag) {
    case "Sent":
      return { what: moment.event.type, text: textOf(moment.event), isOwn: true }
    case "Published": {
      const { event } = moment
      const error = event._tag === "ToolFailed" ? textOf(event.error) : ""
      const isOwn = event._tag === "SessionEnded" || (isFailure(event) && !isFromOutside(event))
      return { what: event._tag, text: `${textOf(event)} ${error}`, isOwn }
    }
    case "CommandFailed":
      return { what: moment.error._tag, text: textOf(moment.error), isOwn: true }
    default:
      return undefined
  }
}

const carries = (text: string, secrets: Iterable<string>): boolean => {
  for (const secret of secrets) {
    if (text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1))) return true
  }
  return false
}

/** `secrets`: texts that must also never leave the process, such as a key. */
export const discretion = (secrets: ReadonlyArray<string>): Law =>
  both(
    "Discretion",
    "Nothing that is sent or published, and no error, contains the message of a defect or a secret.",
    () => {
      const messages = new Set<string>()
      return (moment) => {
        if (moment._tag === "Published") for (const message of learnt(moment.event)) messages.add(message)
        if (secrets.length === 0 && messages.size === 0) return []
        const words = wordsOf(moment)
        if (words === undefined) return []
        return carries(words.text, secrets) || (words.isOwn && carries(words.text, messages))
          ? [`${words.what} contains a secret, or the message of a defect.`]
          : []
      }
    },
    // A message is known once its defect was published; what contained it before that is found at the end.
    ({ exit, timeline }) => {
      const messages = new Set(timeline.flatMap((moment) => (moment._tag === "Published" ? learnt(moment.event) : [])))
      const violations = timeline.flatMap((moment, index) => {
        const words = messages.size === 0 ? undefined : wordsOf(moment)
        return words?.isOwn && carries(words.text, messages)
          ? [{ message: `${words.what} contains the message of a defect.`, moment: index }]
          : []
      })
      if (exit === undefined || Exit.isSuccess(exit)) return violations
      const failures = Array.from(Cause.failures(exit.cause), textOf).join(" ")
      return carries(failures, [...secrets, ...messages])
        ? [...violations, { message: "The error of session.await contains a secret, or the message of a defect." }]
        : violations
    }
  )
