/**
 * Transcripts with Moonshine in the worker thread, for turns whose words are not ready when they end: those that the client
 * commits, and long ones.
 */
import * as Effect from "effect/Effect"
import type { Transcribe, Transcript } from "../embedded/Transcription.js"
import type { Recognizer } from "./messages.js"
import type { Thread } from "./Thread.js"

/** The limit of audio that waits for its words, in bytes, over all sessions with this voice: 23 minutes at 24 kHz. */
export const maxWaitingBytes = 64 * 1024 * 1024

const failed = (message: string): Effect.Effect<Transcript> => Effect.succeed({ failed: message })

export const moonshineTranscribe = (thread: Thread, recognizer: Recognizer): Transcribe => {
  let waitingBytes = 0
  return ({ audio, format }) =>
    Effect.suspend(() => {
      if (audio === undefined) return failed("The audio of this turn is no longer kept. Commit shorter turns.")
      if (waitingBytes > 0 && waitingBytes + audio.length > maxWaitingBytes) {
        return failed("Too much audio is waiting for its words. Send audio more slowly.")
      }
      waitingBytes += audio.length
      return thread.ask({ _tag: "Recognize", audio, format, recognizer }).pipe(
        Effect.map((outcome): Transcript => ({ text: outcome._tag === "Recognized" ? outcome.text : "" })),
        Effect.catchAll((error) => failed(error.message)),
        Effect.ensuring(
          Effect.sync(() => {
            waitingBytes -= audio.length
          })
        )
      )
    })
}
