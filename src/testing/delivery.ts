import { isFailure, type SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import type { Moment } from "./Observation.js"

/** What one reader is to get, and how far it is. */
interface Reader {
  readonly of: "events" | "errors"
  /** How much of what was published it has got, or was told that it missed; unknown to the first that it gets. */
  place: number | undefined
  /** How much was published before it came. */
  readonly earliest: number
  isOver: boolean
}

export const delivery: Law = both(
  "Delivery",
  "Each reader gets what is published once and in order, or is told how much it missed; and where it then is.",
  () => {
    const published: Record<"events" | "errors", Array<SessionEvent>> = { events: [], errors: [] }
    /** Who had the conversation after each event. */
    const agents: Array<string | undefined> = []
    const readers = new Map<number, Reader>()

    const publish = (event: SessionEvent): void => {
      published.events.push(event)
      agents.push(event._tag === "SessionStarted" ? event.agent : event._tag === "HandedOff" ? event.to : agents.at(-1))
      if (isFailure(event)) published.errors.push(event)
    }

    const missed = (
      reader: Reader,
      event: Extract<SessionEvent, { readonly _tag: "EventsMissed" }>
    ): ReadonlyArray<string> => {
      reader.place = (reader.place ?? reader.earliest) + event.count
      if (event.count < 1) return ["A reader was told that it missed nothing."]
      if (reader.place > published[reader.of].length) return ["A reader was told of more than was published."]
      const agent = agents[reader.place - 1]
      return event.snapshot === undefined || agent === undefined || event.snapshot.agent === agent
        ? []
        : [`A reader was told that ${event.snapshot.agent} has the conversation, and it is ${agent} there.`]
    }

    const read = (number: number, event: SessionEvent): ReadonlyArray<string> => {
      const reader = readers.get(number)
      if (reader === undefined) return []
      if (reader.isOver) return [`Reader ${number} got ${event._tag} after its end.`]
      if (event._tag === "EventsMissed") return missed(reader, event)
      if (reader.place === undefined) {
        // It takes a stream a moment to begin.
        reader.place = published[reader.of].indexOf(event, reader.earliest) + 1
        return reader.place > 0 ? [] : [`Reader ${number} got ${event._tag}, which was not published since it came.`]
      }
      const expected = published[reader.of][reader.place]
      reader.place += 1
      return event === expected
        ? []
        : [`Reader ${number} got ${event._tag}, where ${expected?._tag ?? "nothing"} was to come.`]
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
