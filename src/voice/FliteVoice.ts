/**
 * A `Voice` for the embedded server. It speaks clause by clause, in short pieces, each with the words that begin in it.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../Audio.js"
import type { Speech, Voice } from "../embedded/Voice.js"
import { clausesOf } from "./clauses.js"
import type { Speaker } from "./messages.js"
import type { Thread } from "./Thread.js"

/** The length of a piece, in milliseconds. */
const PIECE_MS = 120

/** A clause in pieces; `before` characters of the sentence come before it. */
const piecesOf = (
  clause: string,
  before: number,
  audio: Uint8Array,
  format: Audio.AudioFormat
): ReadonlyArray<Speech> => {
  const total = Audio.durationMs(format, audio.length)
  return Audio.split(audio, Audio.bytesOf(format, PIECE_MS)).map((piece, index) => {
    const ms = Audio.durationMs(format, piece.length)
    const share = total === 0 ? 1 : Math.min(1, (index * PIECE_MS + ms) / total)
    return { audio: piece, ms, characters: before + Math.ceil(clause.length * share) }
  })
}

export const fliteVoice = (thread: Thread, speaker: Speaker): Voice => ({
  speak: (sentence, { format: type }) => {
    let before = 0
    const clauses = clausesOf(sentence).map((clause) => {
      const place = { clause, before }
      before += clause.length
      return place
    })
    return Stream.fromIterable(clauses).pipe(
      // The next clause is synthesized while this one is sent.
      Stream.mapEffect(
        ({ before, clause }) =>
          Effect.map(thread.ask({ _tag: "Speak", clause, speaker, format: type }), (outcome) =>
            outcome._tag === "Spoken" ? piecesOf(clause, before, outcome.audio, { type }) : []
          ),
        { concurrency: 2 }
      ),
      Stream.mapConcat((pieces) => pieces),
      // If a voice dies, the server reports this as the reason why the response failed.
      Stream.orDie
    )
  }
})
