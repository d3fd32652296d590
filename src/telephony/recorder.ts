/** Writes down both sides of a call while it goes on. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
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
 * Records until the scope closes, and then writes the rest. A failure ends the recording, and nothing else. The scope
 * waits for the recording, but not for long, whatever that does.
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
    /** Absent once the recording has failed: nothing is kept that nobody writes. */
    let track: StereoTrack | undefined = new StereoTrack(sampleRate)
    let isOpen = false

    const fail = (error: RecordingError) =>
      Effect.sync(() => {
        if (track === undefined) return
        track = undefined
        onFailure(error)
      })
    /** Waits so long for the recording of the application. What comes meanwhile waits here. */
    const limited = <A, R1>(step: () => Effect.Effect<A, RecordingError, R1>, late: RecordingError) =>
      quietlyWithin(Effect.suspend(step), { duration: maxUnwrittenMs, onTimeout: () => late }).pipe(
        Effect.catchAllDefect(() => died)
      )
    /** A finalizer cannot stop waiting, and a fiber of its own can. */
    const atLast = (step: Effect.Effect<void, RecordingError>) =>
      step.pipe(Effect.interruptible, Effect.forkDaemon, Effect.flatMap(Fiber.join), Effect.catchAll(fail))
    const writing = Effect.gen(function* () {
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) =>
        atLast(limited(() => Scope.close(scope, exit), notClosed))
      )
      yield* Effect.addFinalizer(() => (isOpen ? Effect.void : fail(notOpenInCall)))
      const writer = yield* limited(() => Scope.extend(recording.open({ sampleRate, channels: 2 }), scope), notOpen)
      isOpen = true
      const write = (isOver: boolean) =>
        limited(() => {
          const samples = track?.take(elapsed(), isOver)
          return samples === undefined || samples.length === 0 ? Effect.void : writer.write(encodePcm16(samples))
        }, tooSlow)
      // A failed recording is closed, but not written to.
      yield* Effect.addFinalizer(() => (track === undefined ? Effect.void : atLast(write(true))))
      return yield* Effect.forever(Effect.delay(write(false), interval))
    })
    yield* writing.pipe(Effect.catchAll(fail), Effect.scoped, Effect.interruptible, Effect.forkScoped)
    return {
      heard: (bytes) => track?.heard(samplesOf(format, bytes), elapsed()),
      played: (bytes) => track?.played(samplesOf(format, bytes), elapsed()),
      cleared: () => track?.cleared(elapsed())
    }
  })

const notOpen = new RecordingError({
  message: `The recording did not open within ${maxUnwrittenMs / 1_000} seconds. Look at what its \`open\` waits for.`
})
const notOpenInCall = new RecordingError({
  message: "The call was over before the recording was open: nothing is recorded. Look at what its `open` waits for."
})
const notClosed = new RecordingError({
  message: `The recording was not closed within ${maxUnwrittenMs / 1_000} seconds. Look at what the finalizers of its \`open\` wait for.`
})
const tooSlow = new RecordingError({ message: "The recording is written too slowly." })
const died = new RecordingError({ message: "The recording died." })

/** Records nothing. */
export const silentRecorder: Recorder = { heard: () => undefined, played: () => undefined, cleared: () => undefined }
