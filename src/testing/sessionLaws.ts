import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { type Law, law, type Violation } from "./Law.js"
import { events, type Observation } from "./Observation.js"

const did = ({ program }: Observation, ...tags: ReadonlyArray<string>): boolean =>
  program.steps.some(({ action }) => tags.includes(action._tag))

/** Ways to end that a program of passing faults allows. */
const mayEndWith = (observation: Observation, error: { readonly _tag: string }): boolean => {
  const terminators = events(observation).flatMap((event) =>
    event._tag === "ToolFailed" && observation.policyOf(event.call.agent, event.call.tool)?.onFailure === "terminate"
      ? [event.error._tag as string]
      : []
  )
  if (terminators.includes(error._tag)) return true
  // A server that does not take the settings again has no session to go on with.
  return error._tag === "SettingsRejected" && did(observation, "ServerRefuses")
}

export const isolation: Law = law(
  "Isolation",
  "What fails ends nothing but itself, unless its tool says `terminate`.",
  (observation) => {
    const { defects, exit, timeline } = observation
    const violations: Array<Violation> = defects.map((defect) => ({ message: `Something died: ${defect}` }))
    for (const [moment, entry] of timeline.entries()) {
      if (entry._tag !== "Published") continue
      if (entry.event._tag === "InputFailed") {
        violations.push({ message: `The session could not handle something: ${entry.event.message}`, moment })
      }
    }
    if (exit !== undefined && Exit.isFailure(exit)) {
      const failure = Cause.failureOption(exit.cause)
      if (failure._tag === "None") violations.push({ message: `The session died: ${Cause.pretty(exit.cause)}` })
      else if (!mayEndWith(observation, failure.value)) {
        violations.push({ message: `The session ended with ${failure.value._tag}: ${failure.value.message}` })
      }
    }
    return violations
  }
)

/** Losers of races, and what a program asks for that makes no sense. */
const benign: ReadonlySet<unknown> = new Set([
  "conversation_already_has_active_response",
  "response_cancel_not_active",
  "input_audio_buffer_commit_empty",
  "made_up"
])

export const epochs: Law = law(
  "Epochs",
  "What was meant for one connection is never sent on another: the server refuses nothing but what lost a race.",
  ({ connections }) =>
    connections.flatMap(({ number, refused }) =>
      refused.flatMap(({ event, refusal }): ReadonlyArray<string> => {
        if (benign.has(refusal.code) || refusal.message.includes("already shorter than")) return []
        return [`Connection ${number} refused ${JSON.stringify(event)}: ${refusal.message}`]
      })
    )
)

export const closure: Law = law(
  "Closure",
  "A session that ends sends nothing more, says so once as the last thing, ends its streams, and lets nobody wait.",
  (observation) => {
    const { exit, openStreams, timeline } = observation
    const violations: Array<Violation> = openStreams.map((name) => ({ message: `The stream of ${name} did not end.` }))
    if (exit === undefined) violations.push({ message: "session.await did not end." })
    let isOver = false
    for (const [moment, entry] of timeline.entries()) {
      if (isOver && entry._tag === "Sent") {
        violations.push({ message: `${entry.event.type} was sent after the end.`, moment })
      }
      if (entry._tag !== "Published") continue
      if (isOver) violations.push({ message: `${entry.event._tag} was published after the end.`, moment })
      if (entry.event._tag === "SessionEnded") isOver = true
    }
    if (!isOver) violations.push({ message: "SessionEnded was not published." })
    return violations
  }
)

/** Shorter ones occur by chance. */
const shortestSecret = 8

/** What a defect says of itself. */
const secretsOf = (defect: unknown): ReadonlyArray<string> => {
  const defects = Cause.isCause(defect) ? Array.from(Cause.defects(defect)) : [defect]
  return defects
    .flatMap((one) => (one instanceof Error ? [one.message] : typeof one === "string" ? [one] : []))
    .filter((text) => text.length >= shortestSecret)
}

/** `secrets`: what must never leave the process either, such as a key. */
export const discretion = (secrets: ReadonlyArray<string>): Law =>
  law("Discretion", "The message of a defect never reaches the model, and neither does a secret.", (observation) => {
    const hidden = new Set(secrets)
    for (const event of events(observation)) {
      if (event._tag === "ToolFailed" && event.error._tag === "ToolDefect") {
        for (const secret of secretsOf(event.error.defect)) hidden.add(secret)
      }
    }
    if (hidden.size === 0) return []
    const reveals = (event: ClientEvent): boolean => {
      const text = JSON.stringify(event)
      return Array.from(hidden).some((secret) => text.includes(JSON.stringify(secret).slice(1, -1)))
    }
    return observation.timeline.flatMap((entry, moment) =>
      entry._tag === "Sent" && reveals(entry.event)
        ? [{ message: `${entry.event.type} carries a secret, or the message of a defect.`, moment }]
        : []
    )
  })
