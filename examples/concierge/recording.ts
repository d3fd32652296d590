/** Recordings of what the guest says and what the concierge answers. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Audio } from "effect-realtime"

/** A recording cannot be read or written. */
export class RecordingUnreadable extends Schema.TaggedError<RecordingUnreadable>()("RecordingUnreadable", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.problem}`
  }
}

/** More silence than the turn detection of the server waits for. */
const silenceMs = 2_000

const rate = Audio.sampleRate(Audio.pcm16)

/** A WAV file as PCM16, mono, at 24,000 samples per second, with the silence that ends a turn. */
export const read = (file: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const bytes = yield* Effect.mapError(
      files.readFile(file),
      () => new RecordingUnreadable({ file, problem: "it cannot be read. Give a WAV file." })
    )
    const unusable = (error: Audio.InvalidAudio) => new RecordingUnreadable({ file, problem: error.message })
    const wav = yield* Effect.mapError(Audio.Wav.decode(bytes), unusable)
    const from = yield* Effect.mapError(Audio.toSampleRate(wav.sampleRate), unusable)
    const sound = Audio.encodePcm16(Audio.resample(Audio.toMono(wav.samples, wav.channels), from, rate))
    return new Uint8Array(Buffer.concat([sound, Audio.silence(Audio.pcm16, silenceMs)]))
  })

/** Writes audio to a WAV file, and gives its duration in seconds. */
export const write = (file: string, pieces: ReadonlyArray<Uint8Array>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const bytes = Buffer.concat(pieces)
    yield* Effect.mapError(
      files.writeFile(file, Audio.Wav.encode({ sampleRate: rate, bytes })),
      () => new RecordingUnreadable({ file, problem: "it cannot be written. Run the demo in another folder." })
    )
    return Audio.durationMs(Audio.pcm16, bytes.length) / 1_000
  })
