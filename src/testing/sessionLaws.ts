import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { both, type Law } from "./Law.js"
import type { Scene } from "./Observation.js"

const did = ({ program }: Scene, ...tags: ReadonlyArray<string>): boolean =>
  program.steps.some(({ action }) => tags.includes(action._tag))

/** Whether a program of temporary faults may end with this error. */
const mayEndWith = (scene: Scene, terminators: ReadonlySet<string>, tag: string): boolean => {
  if (terminators.has(tag)) return true
  const { program } = scene
  switch (tag) {
    case "SettingsRejected":
      // If the server refuses the settings on a new connection, the session cannot go on.
      return did(scene, "ServerRefuses")
    case "JournalFailed":
      return program.journal === "required" && did(scene, "JournalIsAway")
    case "JournalTaken":
      return program.steps.some(({ action }) => action._tag === "JournalIsAway" && action.how === "is taken")
    default:
      return false
  }
}

export const isolation: Law = both(
  "Isolation",
  "A failure ends nothing but itself, unless its tool says `terminate`.",
  (scene) => {
    /** Errors of tools whose failures end the session. */
    const terminators = new Set<string>()
    return (moment) => {
      if (moment._tag !== "Published") return []
      const { event } = moment
      switch (event._tag) {
        case "InputFailed":
          return [`The session could not handle something: ${event.message}`]
        case "ToolFailed":
          if (scene.policyOf(event.call.agent, event.call.tool)?.onFailure === "terminate") {
            terminators.add(event.error._tag)
          }
          return []
        case "SessionEnded":
          return event.error === undefined || mayEndWith(scene, terminators, event.error._tag)
            ? []
            : [`The session ended with ${event.error._tag}: ${event.error.message}`]
        default:
          return []
      }
    }
  },
  ({ defects, exit }) => {
    const violations = defects.map((defect) => `Something died: ${defect}`)
    if (exit !== undefined && Exit.isFailure(exit) && Cause.failureOption(exit.cause)._tag === "None") {
      violations.push(`The session died: ${Cause.pretty(exit.cause)}`)
    }
    return violations
  }
)

export const closure: Law = both(
  "Closure",
  "A session that has ended sends nothing more, publishes its end once as the last event, ends its streams, and leaves nobody waiting.",
  () => {
    let isOver = false
    return (moment) => {
      if (isOver && moment._tag === "Sent") return [`${moment.event.type} was sent after the end.`]
      if (isOver && moment._tag === "Played") return [`Audio of ${moment.chunk.itemId} was played after the end.`]
      if (moment._tag !== "Published") return []
      const wasOver = isOver
      isOver ||= moment.event._tag === "SessionEnded"
      return wasOver ? [`${moment.event._tag} was published after the end.`] : []
    }
  },
  ({ exit, openStreams, timeline }) => {
    const violations = openStreams.map((name) => `The stream of ${name} did not end.`)
    if (exit === undefined) violations.push("session.await did not end.")
    if (!timeline.some((moment) => moment._tag === "Published" && moment.event._tag === "SessionEnded")) {
      violations.push("SessionEnded was not published.")
    }
    return violations
  }
)
