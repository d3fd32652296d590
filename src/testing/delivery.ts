import type { Snapshot } from "../event/LifecycleEvents.js"
import { isFailure, type SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import type { Moment } from "./Observation.js"

/** What one reader should get, and how much it has got. */
interface Reader {
  readonly of: "events" | "errors"
  /** How much it has got, or was told that it missed; unknown until its first event. */
  place: number | undefined
  /** How much was published before it came. */
  readonly earliest: number
  isOver: boolean
}

export const delivery: Law = both(
  "Delivery",
  "Each reader gets every event once and in order, or is told how much it missed, and if it asked for a snapshot, the state of the session.",
  () => {
    const published: Record<"events" | "errors", Array<SessionEvent>> = { events: [], errors: [] }
    /** The agent that had the conversation after each event. */
    const agents: Array<string | undefined> = []
    /** The position of the event that added each item. */
    const added = new Map<string, number>()
    const removed = new Set<string>()
    const readers = new Map<number, Reader>()

    const publish = (event: SessionEvent): void => {
      published.events.push(event)
      agents.push(event._tag === "SessionStarted" ? event.agent : event._tag === "HandedOff" ? event.to : agents.at(-1))
      if (isFailure(event)) published.errors.push(event)
      if (event._tag === "ItemAdded" && !added.has(event.item.id)) {
        added.set(event.item.id, published.events.length - 1)
      }
      if (event._tag === "ItemDeleted") removed.add(event.itemId)
      if (event._tag === "Reconnected" || event._tag === "SessionResumed") {
        for (const itemId of event.omitted) removed.add(itemId)
      }
    }

    /** What is wrong with a snapshot of the session after this many events. */
    const misplaced = ({ agent, conversation }: Snapshot, place: number): ReadonlyArray<string> => {
      const violations: Array<string> = []
      const expected = agents[place - 1]
      if (expected !== undefined && agent !== expected) {
        violations.push(`A snapshot says that ${agent} has the conversation, but at that point it is ${expected}.`)
      }
      const items = new Set(conversation.items.map(({ id }) => id))
      for (const id of items) {
        if ((added.get(id) ?? 0) >= place) violations.push(`A snapshot has ${id}, whose event follows later.`)
      }
      for (const [id, index] of added) {
        if (index < place && !items.has(id) && !removed.has(id)) {
          violations.push(`A snapshot does not have ${id}, which was added before.`)
        }
      }
      return violations
    }

    const missed = (
      reader: Reader,
      event: Extract<SessionEvent, { readonly _tag: "EventsMissed" }>
    ): ReadonlyArray<string> => {
      reader.place = (reader.place ?? reader.earliest) + event.count
      if (event.count < 1) return ["A reader was told that it missed 0 events."]
      if (reader.place > published[reader.of].length)
        return ["A reader was told that it missed more events than were published."]
      return event.snapshot === undefined ? [] : misplaced(event.snapshot, reader.place)
    }

    const read = (number: number, event: SessionEvent): ReadonlyArray<string> => {
      const reader = readers.get(number)
      if (reader === undefined) return []
      if (reader.isOver) return [`Reader ${number} got ${event._tag} after its end.`]
      if (event._tag === "EventsMissed") return missed(reader, event)
      if (reader.place === undefined) {
        // A stream takes a moment to begin.
        reader.place = published[reader.of].indexOf(event, reader.earliest) + 1
        return reader.place > 0
          ? []
          : [`Reader ${number} got ${event._tag}, which was not published since it subscribed.`]
      }
      const expected = published[reader.of][reader.place]
      reader.place += 1
      return event === expected ? [] : [`Reader ${number} got ${event._tag} instead of ${expected?._tag ?? "nothing"}.`]
    }

    const ended = ({ error, reader: number }: Extract<Moment, { readonly _tag: "ReadingEnded" }>) => {
      const reader = readers.get(number)
      if (reader === undefined) return []
      reader.isOver = true
      if (reader.place === undefined) return []
      const left = published[reader.of].length - reader.place
      if (error === undefined) return left === 0 ? [] : [`Reader ${number} never got the last ${left} events.`]
      return error.missed >= 1 && error.missed <= left
        ? []
        : [`Reader ${number} was told that it missed ${error.missed} of ${left} events.`]
    }

    return (moment) => {
      switch (moment._tag) {
        case "Published":
          publish(moment.event)
          return []
        case "Subscribed": {
          const { from, of, reader } = moment
          const earliest = from === "start" ? 0 : published[of].length
          readers.set(reader, { of, earliest, place: from === "start" ? 0 : undefined, isOver: false })
          return []
        }
        case "Read":
          return read(moment.reader, moment.event)
        case "ReadingEnded":
          return ended(moment)
        default:
          return []
      }
    }
  }
)
