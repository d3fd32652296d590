/**
 * Recordings of calls: a WAV file with the caller on the left and the agent on the right, written while the call goes on.
 *
 * @since 0.1.0
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Wav from "../audio/Wav.js"
import { TaggedError } from "../common/TaggedError.js"

/**
 * A recording could not be written. The call goes on without it.
 *
 * @since 0.1.0
 * @category errors
 */
export class RecordingError extends TaggedError<RecordingError>()("RecordingError", {
  message: Schema.String
}) {}

/**
 * Where the audio of one call goes: 16-bit signed little-endian samples, left and right in turn.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer {
  /** About half a second at a time. Of what waits for a slow writer, at most 10 seconds are kept. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, RecordingError>
}

/**
 * Opens a writer when a call begins, within 10 seconds. The scope closes when the call is over and all was written, and
 * has 10 seconds for it. What takes longer is a failure, and is not waited for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Recording<out R = never> {
  readonly open: (format: {
    /** Samples per second. */
    readonly sampleRate: number
    readonly channels: 2
  }) => Effect.Effect<Writer, RecordingError, Scope.Scope | R>
}

const failed = (error: { readonly message: string }) => new RecordingError({ message: error.message })

/**
 * A WAV file, which replaces one of that name. Until the end of the call, its header has no length: most players play it
 * nevertheless. A minute at 8 kHz takes 1.9 MB.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toFile = (path: string): Recording<FileSystem.FileSystem> => ({
  open: (format) =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* files.open(path, { flag: "w" })
      let dataBytes = 0
      yield* file.writeAll(Wav.header({ ...format, dataBytes }))
      yield* Effect.addFinalizer(() =>
        Effect.ignore(Effect.zipRight(file.seek(0, "start"), file.writeAll(Wav.header({ ...format, dataBytes }))))
      )
      return {
        write: (bytes: Uint8Array) =>
          Effect.mapError(file.writeAll(bytes), failed).pipe(
            Effect.tap(() => {
              dataBytes += bytes.length
            })
          )
      }
    }).pipe(Effect.mapError(failed))
})
