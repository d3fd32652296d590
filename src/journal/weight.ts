/**
 * The approximate number of characters of a value when written: accurate enough to decide when there is too much, and
 * cheaper than writing it.
 */
import type { Item, Part } from "../Conversation.js"
import type { CallStage, JournalRecord, Snapshot } from "./Record.js"

/** The size of everything around the texts: names of fields, ids of calls, quotes. */
const FRAME = 160

const weightOfPart = (part: Part): number => {
  switch (part._tag) {
    case "Text":
      return part.text.length
    case "Audio":
      return (
        (part.transcript?.length ?? 0) +
        // As base64.
        (part.recording?._tag === "Kept" ? Math.ceil(part.recording.bytes.length / 3) * 4 : 0)
      )
    case "Image":
      return part.url?.length ?? 0
  }
}

const weightOfItem = (item: Item): number => {
  switch (item._tag) {
    case "Message":
      return item.content.reduce((sum, part) => sum + 40 + weightOfPart(part), FRAME)
    case "FunctionCall":
      return FRAME + item.arguments.length
    case "FunctionCallOutput":
      return FRAME + item.output.length
    case "Other":
      return FRAME + weightOfJson(item.item)
  }
}

const weightOfStage = (stage: CallStage): number =>
  stage._tag === "Arrived" ? stage.arguments.length : stage._tag === "Settled" ? stage.output.length : 0

export const weightOfPlace = ({ item }: Snapshot["places"][number]): number =>
  FRAME / 2 + (item === undefined ? 0 : weightOfItem(item))

const weightOfSnapshot = ({ calls, closed, owed = [], places, results, settings, silent }: Snapshot): number => {
  let weight = FRAME + (settings === undefined ? 0 : weightOfJson(settings))
  for (const place of places) weight += weightOfPlace(place)
  for (const { stages } of calls) for (const stage of stages) weight += FRAME + weightOfStage(stage)
  return weight + 32 * (closed.length + owed.length + silent.length + results.length)
}

export const weightOf = (record: JournalRecord): number => {
  switch (record._tag) {
    case "ItemFinal":
      return FRAME + weightOfItem(record.item)
    case "CallTransition":
      return FRAME + weightOfStage(record.to)
    case "TurnAudioKept":
      return FRAME + record.audio.length
    case "SettingsConfirmed":
      return FRAME + weightOfJson(record.settings)
    case "Snapshot":
      return weightOfSnapshot(record)
    default:
      return FRAME
  }
}

const weightOfJson = (value: unknown): number => {
  try {
    return JSON.stringify(value)?.length ?? 0
  } catch {
    return 0
  }
}

/** The length of a journal in characters: its initial snapshot, and the records behind it. */
export interface Written {
  snapshot: number
  behind: number
}

/** Counts one more record, which makes this many earlier characters unnecessary. Returns its weight. */
export const count = (written: Written, record: JournalRecord, needless: number): number => {
  const weight = weightOf(record)
  // Audio that is no longer needed should not stay until there is as much other data.
  written.behind += weight + needless
  written.snapshot = Math.max(0, written.snapshot - needless)
  return weight
}
