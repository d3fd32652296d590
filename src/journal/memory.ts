/** Journals in memory: encoded as they would be on a disk, so that what can not be written there can not be here. */
import * as Effect from "effect/Effect"
import { JournalNotFound } from "./JournalError.js"
import { decodeAll, keyOf, makeClaims, makeWriter, releaseOnFailure, type Service } from "./Service.js"

export const make = (): Service => {
  const journals = new Map<string, Array<string>>()
  const claim = makeClaims()

  return {
    open: (sessionId) =>
      keyOf(sessionId, "open").pipe(
        Effect.zipRight(claim(sessionId)),
        Effect.zipRight(
          makeWriter(sessionId, (texts) =>
            Effect.sync(() => {
              const journal = journals.get(sessionId) ?? []
              journals.set(sessionId, journal)
              for (const text of texts) journal.push(text)
            })
          )
        ),
        releaseOnFailure
      ),
    read: (sessionId) =>
      Effect.gen(function* () {
        yield* keyOf(sessionId, "read")
        const journal = journals.get(sessionId)
        if (journal === undefined) return yield* new JournalNotFound({ sessionId })
        return yield* decodeAll(
          sessionId,
          journal.map((text) => ({ text, offset: undefined }))
        )
      }),
    sessions: Effect.sync(() => Array.from(journals.keys()).sort()),
    remove: (sessionId) =>
      Effect.gen(function* () {
        yield* keyOf(sessionId, "remove")
        yield* claim(sessionId)
        journals.delete(sessionId)
      }).pipe(Effect.scoped)
  }
}
