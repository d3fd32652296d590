import type { Item } from "../Conversation.js"
import * as Fold from "../journal/Fold.js"
import type { CallStage, JournalRecord } from "../journal/Record.js"
import type { SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import { type Moment, outputOf, refusedEvent } from "./Observation.js"
import type { Program } from "./Program.js"

/** The state that another process would have if this one died now. */
const recoveredText = (fold: Fold.Fold): string =>
  JSON.stringify(fold.recovered(), (_, value: unknown) => (value instanceof Set ? Array.from(value).sort() : value))

const wordsOf = (item: Item): string =>
  item._tag === "Message"
    ? item.content
        .flatMap((part) => (part._tag === "Text" ? part.text : part._tag === "Audio" ? (part.transcript ?? []) : []))
        .join("\n")
    : ""

/** Differences between the final items of the session and those in its journal. */
const differences = (mirror: ReadonlyArray<Item>, recovered: Fold.Recovered): ReadonlyArray<string> => {
  // Items of tools that run on the server cannot be sent to another one.
  const final = mirror.filter((item) => item._tag === "FunctionCallOutput" || isFinal(item))
  const known = new Set(mirror.map(({ id }) => id))
  const written = recovered.items.filter(({ id }) => known.has(id))
  const ids = new Set(written.map(({ id }) => id))
  const missing = final.filter(({ id }) => !ids.has(id))
  if (missing.length > 0) return missing.map(({ id }) => `The journal does not have ${id}.`)
  const finals = new Set(final.map(({ id }) => id))
  const order = written.flatMap(({ id }) => (finals.has(id) ? id : []))
  if (final.some(({ id }, index) => order[index] !== id)) {
    return [`The session has ${final.map(({ id }) => id).join(", ")}; its journal has ${order.join(", ")}.`]
  }
  const byId = new Map(written.map((item) => [item.id, item]))
  return final.flatMap((item) => {
    const other = byId.get(item.id)
    if (other === undefined) return []
    if (item._tag === "FunctionCall" || item._tag === "FunctionCallOutput") {
      return JSON.stringify(item) === JSON.stringify(other) ? [] : [`${item.id} is different in the journal.`]
    }
    // Another process does not send what was not heard yet.
    const isTold = wordsOf(item) === wordsOf(other) || (isModels(item) && wordsOf(item).startsWith(wordsOf(other)))
    return isTold
      ? []
      : [`${item.id} says ${JSON.stringify(wordsOf(item))}, but in the journal ${JSON.stringify(wordsOf(other))}.`]
  })
}

const isFinal = (item: Item): boolean => "status" in item && item.status !== "in_progress"

const isModels = (item: Item): boolean => item._tag === "Message" && item.role === "assistant"

const callsOfBeginning = ({ beginning }: Program): ReadonlySet<string> =>
  new Set(
    beginning._tag === "Afresh"
      ? []
      : beginning.items.flatMap((item) => (item.type === "function_call" ? (item.call_id ?? []) : []))
  )

/** How long a session that has ended may take to write that down, in milliseconds. */
const endsWithin = 5000

/** The end of the outage that this step begins. */
const endOfOutage = (program: Program, { atMs, index }: Extract<Moment, { readonly _tag: "Step" }>): number => {
  const action = program.steps[index]?.action
  if (action?._tag !== "JournalIsAway") return Number.NEGATIVE_INFINITY
  return action.how === "is taken" ? Number.POSITIVE_INFINITY : atMs + action.forMs
}

export const journal: Law = both(
  "Journal",
  "Another process could resume the session at any time: its journal has what was said, which handlers ran and what the model read, except for what an outage held back, which is published.",
  ({ program }) => {
    if (program.journal === "none" && program.beginning._tag !== "Resumed") return () => []
    let fold = Fold.make()
    let isEmpty = true
    const started = new Set<string>()
    const outputs = new Map<string, string>()
    /** Outputs that were sent with another text, because the server refused the first. */
    const sentAs = new Map<string, string>()
    const refused = new Set<string>()
    /**
     * Calls that the model did not make: the application added them to the conversation, or another process had them.
     */
    const past = callsOfBeginning(program)
    /** Handlers that ran at this time without a record: the journal may just have been given up. */
    let unwritten: ReadonlyArray<string> = []
    let unwrittenAt = 0
    let awayUntil = Number.NEGATIVE_INFINITY
    let isLagging = false
    let isGivenUp = false

    const reached = (callId: string, stage: CallStage): void => {
      if (stage._tag === "Started") started.add(callId)
      if (stage._tag === "Settled") outputs.set(callId, stage.output)
    }

    const take = (record: JournalRecord): void => {
      fold.apply(record)
      if (record._tag === "CallTransition") reached(record.callId, record.to)
      if (record._tag !== "Snapshot") return
      for (const { callId, stages } of record.calls) for (const stage of stages) reached(callId, stage)
    }

    const written = ({ place, records }: Extract<Moment, { readonly _tag: "Written" }>): ReadonlyArray<string> => {
      const isNew = isEmpty
      isEmpty = false
      if (place === "behind" || isNew) {
        for (const record of records) take(record)
        return []
      }
      const before = recoveredText(fold)
      fold = Fold.make()
      for (const record of records) take(record)
      const after = recoveredText(fold)
      return before === after ? [] : [`The journal meant ${before}, but after compaction ${after}.`]
    }

    const published = (event: SessionEvent, atMs: number): ReadonlyArray<string> => {
      switch (event._tag) {
        case "JournalLagged":
          isLagging = true
          return []
        case "JournalCaughtUp":
          isLagging = false
          return []
        case "JournalFailed":
          isGivenUp = true
          unwritten = program.journal === "required" ? unwritten : []
          return []
        case "ToolStarted": {
          const { callId, tool } = event.call
          if (isGivenUp || started.has(callId)) return []
          unwrittenAt = atMs
          unwritten = [...unwritten, `${callId} (${tool}) ran, but the journal does not say so.`]
          return []
        }
        default:
          return []
      }
    }

    return (moment) => {
      const { atMs } = moment
      const late = atMs > unwrittenAt ? unwritten : []
      if (late.length > 0) unwritten = []
      const isWell = !isGivenUp && !isLagging && atMs > awayUntil
      switch (moment._tag) {
        case "Step":
          awayUntil = Math.max(awayUntil, endOfOutage(program, moment))
          return late
        case "Written":
          return [...late, ...written(moment)]
        case "Published":
          return [...late, ...published(moment.event, atMs)]
        case "Answered": {
          const callId = sentAs.get(refusedEvent(moment) ?? "")
          if (callId !== undefined) refused.add(callId)
          return late
        }
        case "Sent": {
          const output = outputOf(moment.event)
          if (output === undefined) return late
          if (moment.event.event_id !== undefined) sentAs.set(moment.event.event_id, output.callId)
          const { callId } = output
          return !isWell || refused.has(callId) || past.has(callId) || outputs.get(callId) === output.output
            ? late
            : [...late, `The model was sent an output of ${callId} that the journal does not have: ${output.output}`]
        }
        case "AtRest":
          return isWell ? [...late, ...differences(moment.mirror.items, fold.recovered())] : late
        default:
          return late
      }
    }
  },
  ({ program, survived, timeline }) => {
    let isLagging = false
    let ended: string | undefined
    let endedAt = Number.POSITIVE_INFINITY
    let isEnded = false
    let awayUntil = Number.NEGATIVE_INFINITY
    for (const moment of timeline) {
      if (moment._tag === "Step") {
        awayUntil = Math.max(awayUntil, endOfOutage(program, moment))
        // The outage began while the session still wrote its end.
        if (!isEnded && awayUntil > moment.atMs && moment.atMs <= endedAt + endsWithin) ended = undefined
      }
      if (moment._tag === "Written") isEnded ||= moment.records.some(({ _tag }) => _tag === "SessionEnded")
      if (moment._tag !== "Published") continue
      const { event } = moment
      if (event._tag === "JournalLagged") isLagging = true
      if (event._tag === "JournalCaughtUp") isLagging = false
      if (event._tag === "JournalFailed") return []
      if (event._tag === "SessionEnded" && moment.atMs > awayUntil) {
        ended = event.error?._tag ?? "nothing"
        endedAt = moment.atMs
      }
    }
    if (ended === undefined || (program.journal === "none" && program.beginning._tag !== "Resumed")) return []
    // The last event may be that the journal lags: nothing is published after the end.
    if (isLagging)
      return survived ? ["The journal lagged, but neither its recovery nor its failure was published."] : []
    return isEnded ? [] : [`The session ended with ${ended}, but its journal does not say so.`]
  }
)
