import * as Effect from "effect/Effect"
import { JournalFailed, JournalTaken } from "../journal/JournalError.js"
import * as memory from "../journal/memory.js"
import type { JournalRecord } from "../journal/Record.js"
import type { Service } from "../journal/Service.js"
import type { Outage } from "./Program.js"

/** The state of a storage. `endsInMs`: until it works again. */
export type Weather =
  | { readonly _tag: "Fine" }
  | { readonly _tag: "Away"; readonly how: Outage; readonly endsInMs: number }

export interface Environment {
  readonly weather: () => Weather
  /** The journal has these records now: appended, or instead of the previous ones. */
  readonly written: (records: ReadonlyArray<JournalRecord>, place: "behind" | "instead") => void
}

/** Journals in memory, for a storage with outages. */
export const make = ({ weather, written }: Environment): Service => {
  const journals = memory.make()
  const isAway = (sessionId: string) =>
    new JournalFailed({ sessionId, operation: "append", reason: "The storage is away." })

  const storing = <A>(sessionId: string, write: Effect.Effect<A, JournalFailed | JournalTaken>) =>
    Effect.suspend((): Effect.Effect<A, JournalFailed | JournalTaken> => {
      const now = weather()
      if (now._tag === "Fine") return write
      switch (now.how) {
        case "refuses":
        case "fails halfway":
          return isAway(sessionId)
        case "is slow":
          return Effect.delay(write, now.endsInMs)
        case "is taken":
          return new JournalTaken({ sessionId })
      }
    })

  return {
    ...journals,
    open: (sessionId) =>
      Effect.map(journals.open(sessionId), (writer) => {
        const append = (records: ReadonlyArray<JournalRecord>) =>
          Effect.map(writer.append(records), () => written(records, "behind"))
        return {
          ...writer,
          append: (records) =>
            Effect.suspend(() => {
              const now = weather()
              const isHalf = now._tag === "Away" && now.how === "fails halfway"
              const half = isHalf ? append(records.slice(0, Math.ceil(records.length / 2))) : Effect.void
              return Effect.zipRight(half, storing(sessionId, append(records)))
            }),
          replace: (records) =>
            storing(
              sessionId,
              Effect.suspend(() => {
                const all = Array.from(records)
                return Effect.map(writer.replace(all), () => written(all, "instead"))
              })
            )
        }
      })
  }
}
