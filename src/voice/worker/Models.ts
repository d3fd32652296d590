/**
 * The models of the thread. Each is loaded once, and shared by all sessions of the process.
 */
import * as Audio from "../../Audio.js"
import type { TurnChange } from "../../embedded/TurnDetection.js"
import type { Format, Recognizer, Task } from "../messages.js"
import { Flite } from "./Flite.js"
import type { Lane } from "./Lane.js"
import { Moonshine } from "./Moonshine.js"
import * as Runtime from "./Runtime.js"
import { Silero } from "./Silero.js"
import { SileroDetector } from "./SileroDetector.js"
import { samplesOf } from "./samplesOf.js"
import { segmentsOf } from "./segments.js"

/** Loads once. A failed load is tried again, because a package may have been installed since. */
const once = <A>(load: () => Promise<A>): (() => Promise<A>) => {
  let loaded: Promise<A> | undefined
  return () => {
    loaded ??= load().catch((problem: unknown) => {
      loaded = undefined
      throw problem
    })
    return loaded
  }
}

type IsWanted = () => boolean

export class Models {
  readonly #lane: Lane
  readonly #detectors = new Map<number, Promise<SileroDetector>>()
  readonly #flite = once(() => Flite.load())
  readonly #runtime = once(() => Runtime.load())
  readonly #silero = once(async () => Silero.load(await this.#runtime()))
  readonly #moonshine = {
    tiny: once(async () => Moonshine.load(await this.#runtime(), "tiny")),
    base: once(async () => Moonshine.load(await this.#runtime(), "base"))
  }

  constructor(lane: Lane) {
    this.#lane = lane
  }

  async load(recognizer: Recognizer): Promise<void> {
    await Promise.all([this.#flite(), this.#silero(), this.#moonshine[recognizer]()])
  }

  async speak({ clause, format, speaker }: Extract<Task, { readonly _tag: "Speak" }>, isWanted: IsWanted) {
    const flite = await this.#flite()
    return this.#lane.run("speak", isWanted, () => {
      const { sampleRate, samples } = flite.speak(clause, speaker)
      const type: Audio.AudioFormat = { type: format }
      return Audio.encode(type, Audio.resample(samples, sampleRate === 8_000 ? 8_000 : 16_000, Audio.sampleRate(type)))
    })
  }

  async recognize(audio: Uint8Array, format: Format, recognizer: Recognizer, isWanted: IsWanted) {
    const resampled = Audio.resample(samplesOf(audio, format), Audio.sampleRate({ type: format }), 16_000)
    return this.#text(Audio.toFloat32(resampled), recognizer, isWanted)
  }

  async detect(task: Extract<Task, { readonly _tag: "Detect" }>): Promise<ReadonlyArray<TurnChange>> {
    // Entered at once, so that `forget` finds it even while the model is loading.
    const made = this.#detectors.get(task.detector) ?? this.#makeDetector(task)
    this.#detectors.set(task.detector, made)
    return (await made).detect(task.piece)
  }

  forget(detector: number): void {
    // A detector that could not be made has nothing to end.
    void this.#detectors.get(detector)?.then(
      (made) => made.end(),
      () => undefined
    )
    this.#detectors.delete(detector)
  }

  async #makeDetector(task: Extract<Task, { readonly _tag: "Detect" }>): Promise<SileroDetector> {
    const { detector, floorMs, piece, recognizer } = task
    try {
      return new SileroDetector({
        listener: (await this.#silero()).listener(),
        floorMs,
        atMs: piece.atMs,
        step: (step) => this.#lane.run("detect", () => true, step),
        recognize: (samples, isWanted) => this.#text(samples, recognizer, isWanted)
      })
    } catch (problem) {
      this.#detectors.delete(detector)
      throw problem
    }
  }

  async #text(samples: Float32Array, recognizer: Recognizer, isWanted: IsWanted): Promise<string | undefined> {
    const moonshine = await this.#moonshine[recognizer]()
    const texts: Array<string> = []
    for (const segment of segmentsOf(samples)) {
      const text = await moonshine.recognize(segment, (step) => this.#lane.run("recognize", isWanted, step))
      if (text === undefined) return undefined
      texts.push(text)
    }
    return texts.filter((text) => text !== "").join(" ")
  }
}
