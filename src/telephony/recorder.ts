/** Writes down both sides of a call while it goes on. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { encodePcm16 } from "../audio/Pcm16.js"
import { quietlyWithin } from "../common/quietly.js"
import type { StreamFormat } from "./Codec.js"
import { samplesOf } from "./Line.js"
import { maxUnwrittenMs } from "./limits.js"
import { type Recording, RecordingError } from "./Recording.js"
import { StereoTrack } from "./StereoTrack.js"

/** How often is written. */
const interval = "500 millis"

/** What a call tells its recorder. The audio is in the stream's format. */
export interface Recorder {
  readonly heard: (bytes: Uint8Array) => void
  readonly played: (bytes: Uint8Array) => void
  readonly cleared: () => void
}

/**
 * Records until the scope closes, and then writes the rest. A failure ends the recording, and nothing else.
 *
 * @param now milliseconds on a clock that never goes back
 */
export const record = <R>(
  recording: Recording<R>,
  format: StreamFormat,
  now: () => number,
  onFailure: (error: RecordingError) => void
): Effect.Effect<Recorder, never, Scope.Scope | R> =>
  Effect.gen(function* () {
    const began = now()
    const elapsed = () => now() - began
    const { sampleRate } = format
    const track = new StereoTrack(sampleRate)
    let isOn = true
    const tooSlow = new RecordingError({ message: "The recording is written too slowly." })
    const died = new RecordingError({ message: "The recording died." })

    const fail = (error: RecordingError) =>
      Effect.sync(() => {
        isOn = false
        onFailure(error)
      })
    const writing = Effect.gen(function* () {
      const writer = yield* recording.open({ sampleRate, channels: 2 })
      const write = (isOver: boolean) =>
        quietlyWithin(
          Effect.suspend(() => {
            const samples = track.take(elapsed(), isOver)
            return samples.length === 0 ? Effect.void : writer.write(encodePcm16(samples))
          }),
          // What comes meanwhile waits here.
          { duration: maxUnwrittenMs, onTimeout: () => tooSlow }
        ).pipe(Effect.catchAllDefect(() => died))
      yield* Effect.addFinalizer(() => (isOn ? Effect.catchAll(write(true), fail) : Effect.void))
      return yield* Effect.forever(Effect.delay(write(false), interval))
    })
    // A failed recording is closed, but not written to.
    yield* writing.pipe(
      Effect.catchAllDefect(() => died),
      Effect.catchAll(fail),
      Effect.scoped,
      Effect.interruptible,
      Effect.forkScoped
    )
    return {
      heard: (bytes) => {
        if (isOn) track.heard(samplesOf(format, bytes), elapsed())
      },
      played: (bytes) => {
        if (isOn) track.played(samplesOf(format, bytes), elapsed())
      },
      cleared: () => {
        if (isOn) track.cleared(elapsed())
      }
    }
  })

/** Records nothing. */
export const silentRecorder: Recorder = { heard: () => undefined, played: () => undefined, cleared: () => undefined }
