/** What the caller says: spoken questions, as a telephone carries them. */
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { Effect } from "effect"
import { Audio } from "effect-realtime"

export interface Question {
  readonly text: string
  /** µ-law at 8 kHz. */
  readonly audio: Uint8Array
}

const folder = join(import.meta.dirname, "../questions")

const question = (name: string, text: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const wav = yield* Audio.Wav.decode(yield* files.readFile(join(folder, `${name}.wav`)))
    const from = yield* Audio.toSampleRate(wav.sampleRate)
    const samples = Audio.resample(Audio.toMono(wav.samples, wav.channels), from, Audio.sampleRate(Audio.pcmu))
    return { text, audio: Audio.encodePcmu(samples) }
  })

export const read = Effect.all([
  question("time-in-paris", "What time is it in Paris?"),
  question("italian-restaurant", "Find me an Italian restaurant."),
  question("time-in-atlantis", "What time is it in Atlantis?")
])

export const texts = Effect.map(read, (questions) => questions.map(({ text }) => text))
