import type { JournalRecord } from "../journal/Record.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import type { Lines } from "./captured.js"
import type { Violation } from "./Law.js"
import type { Moment, Observation } from "./Observation.js"
import { describe, describeAction } from "./Program.js"

/** How many moments are shown around a violation, and how much of each event. */
const around = 14
const maxText = 160

const short = (text: string): string => (text.length <= maxText ? text : `${text.slice(0, maxText)}…`)

/** Fields that are not useful to a reader, or are already in the line. */
const unread: ReadonlySet<string> = new Set(["session", "event_id", "tools", "usage"])
const saidAlready: ReadonlySet<string> = new Set(["type", "_tag"])
/** For audio, the length is enough. */
const sounds: ReadonlySet<string> = new Set(["audio", "delta"])

/** The useful fields, after a space. */
const fields = (value: object): string => {
  const shown = Object.fromEntries(Object.entries(value).filter(([key]) => !saidAlready.has(key)))
  const text = JSON.stringify(shown, (key, one: unknown) => {
    if (unread.has(key)) return undefined
    return sounds.has(key) && typeof one === "string" ? `${one.length} characters` : one
  })
  return text === "{}" ? "" : ` ${short(text)}`
}

const sent = (event: ClientEvent): string => `${event.type}${fields(event)}`

const published = (event: SessionEvent): string => {
  if (event._tag === "ToolFailed")
    return `${event._tag} ${event.call.callId} (${event.call.tool}): ${event.error.message}`
  return `${event._tag}${fields(event)}`
}

const pieceOf = ({ bytes, contentIndex, itemId }: AudioChunk): string =>
  `${itemId} ${contentIndex} (${bytes.length} bytes)`

const recordText = (record: JournalRecord): string => {
  switch (record._tag) {
    case "ItemFinal":
      return `${record._tag} ${record.item.id}`
    case "CallTransition":
      return `${record.callId} ${record.to._tag}`
    default:
      return "itemId" in record ? `${record._tag} ${record.itemId}` : record._tag
  }
}

const momentText = (moment: Moment, observation: Observation): string => {
  switch (moment._tag) {
    case "Step": {
      const step = observation.program.steps[moment.index]
      return `# ${moment.index + 1}. ${step === undefined ? "" : short(describeAction(step.action))}`
    }
    case "LeftAlone":
      return "# All steps are done."
    case "Sent":
      return `→ ${moment.connection}  ${sent(moment.event)}`
    case "Answered":
      return `← ${moment.connection}  ${String(moment.event["type"])}${fields(moment.event)}`
    case "Disconnected":
      return `× ${moment.connection}  ${moment.ending._tag}`
    case "Published":
      return `·    ${published(moment.event)}`
    case "Played":
      return `♪    ${pieceOf(moment.chunk)} is played`
    case "Heard":
      return `♪    ${pieceOf(moment.chunk)} is heard`
    case "Subscribed":
      return `r    reader ${moment.reader} subscribes to the ${moment.of}`
    case "Read":
      return `r    reader ${moment.reader} gets ${published(moment.event)}`
    case "ReadingEnded":
      return `r    the stream of reader ${moment.reader} ends${moment.error === undefined ? "" : `: ${moment.error.message}`}`
    case "AtRest":
      return `=    at rest: ${moment.mirror.items.map(({ id }) => id).join(", ") || "nothing"}`
    case "Written":
      return `w    ${moment.place === "behind" ? "" : "instead of all before: "}${moment.records.map(recordText).join(", ")}`
    case "CommandFailed":
      return `!    a command failed: ${moment.error.message}`
  }
}

/** Deltas and reads are too many to show, unless a law is about one of them. */
const isDull = (moment: Moment): boolean => {
  if (moment._tag === "Read" || moment._tag === "AtRest" || moment._tag === "Written") return true
  if (moment._tag === "Answered") return /\.delta$|rate_limits|content_part/.test(String(moment.event["type"]))
  if (moment._tag === "Published") return /Delta$|^RateLimits|^SessionUpdated$/.test(moment.event._tag)
  return moment._tag === "Sent" && moment.event.type === "input_audio_buffer.append"
}

/** Without a moment to look at, what the server sent matters less than what was done. */
const window = (observation: Observation, center: number | undefined): ReadonlyArray<string> => {
  const shown = Array.from(observation.timeline.entries()).filter(
    ([index, moment]) => index === center || !(isDull(moment) || (center === undefined && moment._tag === "Answered"))
  )
  const at = center === undefined ? shown.length - around : shown.findIndex(([index]) => index === center)
  return shown
    .slice(Math.max(0, at - around), at + around)
    .map(
      ([index, moment]) =>
        `${index === center ? ">" : " "} ${(moment.atMs / 1000).toFixed(3).padStart(9)} s  ${momentText(moment, observation)}`
    )
}

const loggedLines = ({ dropped, last }: Lines): ReadonlyArray<string> =>
  last.length === 0
    ? []
    : ["", dropped === 0 ? "What it logged:" : `What it logged last, after ${dropped} other lines:`, ...last]

/**
 * A counterexample for people to read: the law, what was wrong, the program, and what happened around the violation.
 */
export const print = (broken: {
  readonly law: { readonly name: string; readonly says: string }
  readonly violations: ReadonlyArray<Violation>
  readonly step: number | undefined
  readonly observation: Observation
  readonly logged: Lines
  readonly seed: number
  readonly path: string
  /** Shrinking stopped after this many steps; absent if it was complete. */
  readonly stepsOfSmaller: number | undefined
}): string => {
  const { law, logged, observation, path, seed, step, stepsOfSmaller, violations } = broken
  return [
    `${law.name} is broken${step === undefined ? "" : ` after step ${step}`}: ${law.says}`,
    ...violations.map(({ message }) => `  - ${message}`),
    "",
    ...describe(observation.program),
    "",
    "What happened (→ by the session, ← by the server, with the number of the connection; · published):",
    ...window(observation, violations.find(({ moment }) => moment !== undefined)?.moment),
    ...loggedLines(logged),
    "",
    ...(stepsOfSmaller === undefined
      ? []
      : [
          `There may be a smaller program: the search stopped after ${stepsOfSmaller.toLocaleString("en")} steps. Lower \`maxSteps\`.`
        ]),
    `To repeat: seed ${seed}, path ${JSON.stringify(path)}.`
  ].join("\n")
}
