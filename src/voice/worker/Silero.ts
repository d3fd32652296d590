/**
 * Silero VAD v6 (github.com/snakers4/silero-vad): the probability that a frame of audio contains a voice.
 */
import { files } from "../files.js"
import { floatsOf, type InferenceSession, outputOf, type Runtime, type Tensor } from "./Runtime.js"

/** The length of a frame: 512 samples at 16 kHz, which are 32 ms. */
export const FRAME = 512
/** The model also needs the last 64 samples of the frame before. Without them, it finds hardly any voice. */
const CONTEXT = 64
const STATE_SHAPE = [2, 1, 128]

export class Silero {
  readonly #runtime: Runtime
  readonly #session: InferenceSession
  readonly #rate: Tensor

  private constructor(runtime: Runtime, session: InferenceSession) {
    this.#runtime = runtime
    this.#session = session
    this.#rate = new runtime.Tensor("int64", BigInt64Array.of(16_000n), [])
  }

  static async load(runtime: Runtime): Promise<Silero> {
    return new Silero(runtime, await runtime.open(files.silero))
  }

  /** Starts with the audio of a new connection. */
  listener(): Listener {
    const { Tensor } = this.#runtime
    const window = new Float32Array(CONTEXT + FRAME)
    let state: Tensor = new Tensor("float32", new Float32Array(2 * 128), STATE_SHAPE)
    return {
      probability: async (frame) => {
        window.copyWithin(0, FRAME)
        window.set(frame, CONTEXT)
        const input = new Tensor("float32", window.slice(), [1, window.length])
        const outputs = await this.#session.run({ input, state, sr: this.#rate })
        state = outputOf(outputs, "stateN")
        return floatsOf(outputOf(outputs, "output"))[0] ?? 0
      }
    }
  }
}

export interface Listener {
  /** From 0 to 1, for the next frame. */
  readonly probability: (frame: Float32Array) => Promise<number>
}
