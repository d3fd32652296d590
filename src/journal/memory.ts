/** Journals in memory, encoded as on disk, so that records that cannot be written there are refused here too. */
import * as Effect from "effect/Effect"
import { JournalNotFound } from "./JournalError.js"
import { decodeAll, keyOf, makeClaims, makeWriter, releaseOnFailure, type Service } from "./Service.js"

export const make = (): Service => {
  const journals = new Map<string, Array<string>>()
  const claims = makeClaims()

  return {
    open: (sessionId) =>
      keyOf(sessionId, "open").pipe(
        Effect.zipRight(claims.claim(sessionId)),
        Effect.flatMap(({ hold }) =>
          makeWriter(sessionId, {
            isNew: !journals.has(sessionId),
            append: (texts) =>
              Effect.map(hold, () => {
                const journal = journals.get(sessionId) ?? []
                journals.set(sessionId, journal)
                for (const text of texts) journal.push(text)
              }),
            replace: (texts) =>
              Effect.map(hold, () => {
                if (texts.length === 0) journals.delete(sessionId)
                else journals.set(sessionId, Array.from(texts))
              })
          })
        ),
        releaseOnFailure
      ),
    evict: (sessionId) => Effect.map(keyOf(sessionId, "evict"), () => claims.evict(sessionId)),
    read: (sessionId) =>
      Effect.gen(function* () {
        yield* keyOf(sessionId, "read")
        const journal = journals.get(sessionId)
        if (journal === undefined) return yield* new JournalNotFound({ sessionId })
        return yield* decodeAll(
          sessionId,
          journal.map((text, index) => ({ text, line: index + 1, offset: undefined }))
        )
      }),
    sessions: Effect.sync(() => Array.from(journals.keys()).sort()),
    remove: (sessionId) =>
      Effect.gen(function* () {
        yield* keyOf(sessionId, "remove")
        yield* claims.claim(sessionId)
        journals.delete(sessionId)
      }).pipe(Effect.scoped)
  }
}
