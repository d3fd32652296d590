/**
 * Turn detection with Silero VAD in the worker thread, which also has the words ready when a turn ends.
 */
import * as Effect from "effect/Effect"
import * as Audio from "../Audio.js"
import type { AudioPiece, TurnChange, TurnDetection, TurnDetector } from "../embedded/TurnDetection.js"
import type { Recognizer } from "./messages.js"
import type { Thread } from "./Thread.js"

const endOf = ({ atMs, audio, format }: AudioPiece): number =>
  Math.round(atMs + Audio.durationMs({ type: format }, audio.length))

export const sileroDetection = (thread: Thread, recognizer: Recognizer): TurnDetection => ({
  start: (): TurnDetector => {
    let detector = thread.newDetector()
    let floorMs = 0
    /** The detector whose turn has begun and not ended. */
    let speaking: number | undefined

    const detect = (piece: AudioPiece): Effect.Effect<ReadonlyArray<TurnChange>> => {
      const asked = detector
      return thread.ask({ _tag: "Detect", detector: asked, floorMs, piece, recognizer }).pipe(
        Effect.map((outcome) => {
          const changes = outcome._tag === "Detected" ? outcome.changes : []
          const last = changes.at(-1)
          if (last !== undefined) speaking = last._tag === "SpeechStarted" ? asked : undefined
          return changes
        }),
        // The detector is lost with its thread. A turn that had begun ends here, since a new detector does not know it.
        Effect.catchAll((error) => {
          const changes: Array<TurnChange> = []
          if (asked === detector) {
            const endMs = endOf(piece)
            if (speaking === asked) changes.push({ _tag: "SpeechStopped", endMs })
            speaking = undefined
            floorMs = endMs
          }
          return Effect.as(Effect.logWarning(error.message), changes)
        })
      )
    }

    return {
      detect,
      reset: (floor) => {
        thread.forget(detector)
        detector = thread.newDetector()
        floorMs = floor
      },
      end: () => thread.forget(detector)
    }
  }
})
