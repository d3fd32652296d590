/**
 * Text to speech with Flite (Carnegie Mellon University, github.com/festvox/flite). Each clause is spoken by a new
 * instance, which keeps no state from the one before.
 */
import * as Either from "effect/Either"
import * as Audio from "../../Audio.js"
import { files } from "../files.js"
import type { Speaker } from "../messages.js"
import { read } from "./installed.js"
import * as Wasi from "./Wasi.js"

export interface Speech {
  readonly samples: Int16Array
  readonly sampleRate: number
}

/** Samples below this level (-44 dBFS) are silence. The hiss of Flite's voices is a little below it. */
const QUIET = 200
/** How much silence is kept on both sides, in milliseconds. */
const MARGIN_MS = 30
/** The silence after a clause and after a sentence, in milliseconds. Flite itself leaves about as much within a text. */
const CLAUSE_PAUSE_MS = 120
const SENTENCE_PAUSE_MS = 280

/** Flite's arguments end at the first NUL, and it reads control characters aloud. */
const CONTROL = /\p{Cc}+/gu

/** Removes the silence on both sides, and adds the pause that belongs after the text. */
const trim = ({ samples, sampleRate }: Speech, text: string): Speech => {
  const margin = (sampleRate * MARGIN_MS) / 1_000
  const isLoud = (sample: number) => Math.abs(sample) > QUIET
  const first = samples.findIndex(isLoud)
  if (first < 0) return { samples: new Int16Array(0), sampleRate }
  const from = Math.max(0, first - margin)
  const to = Math.min(samples.length, samples.findLastIndex(isLoud) + margin)
  const pauseMs = /[.!?\u2026]["')\]]*\s*$/.test(text) ? SENTENCE_PAUSE_MS : CLAUSE_PAUSE_MS
  const spoken = new Int16Array(to - from + (sampleRate * pauseMs) / 1_000)
  spoken.set(samples.subarray(from, to))
  return { samples: spoken, sampleRate }
}

export class Flite {
  readonly #program: WebAssembly.Module

  private constructor(program: WebAssembly.Module) {
    this.#program = program
  }

  static async load(): Promise<Flite> {
    return new Flite(await WebAssembly.compile(await read(files.flite)))
  }

  /** Returns no samples for text without a word to speak, such as an ellipsis or a script that Flite does not know. */
  speak(text: string, speaker: Speaker): Speech {
    const { exitCode, file, printed } = Wasi.run(this.#program, "flite", [
      ...["-voice", speaker],
      ...["-t", text.replace(CONTROL, " ")],
      ...["-o", "speech.wav"]
    ])
    if (exitCode !== 0) throw new Error(`Flite ended with exit code ${exitCode}: ${printed}`)
    return trim(Either.getOrThrow(Audio.Wav.decode(file)), text)
  }
}
