/**
 * Speech to text with Moonshine (github.com/usefulsensors/moonshine): English, at 16 kHz, at most half a minute at once.
 */
import type { LlamaTokenizer } from "llama-tokenizer-js"
import { type File, files } from "../files.js"
import type { Recognizer } from "../messages.js"
import { floatsOf, type InferenceSession, outputOf, type Runtime, type Tensor } from "./Runtime.js"

interface Size {
  readonly encoder: File
  readonly decoder: File
  readonly heads: number
  readonly headSize: number
}

const sizes: { readonly [recognizer in Recognizer]: Size } = {
  tiny: { encoder: files.tinyEncoder, decoder: files.tinyDecoder, heads: 8, headSize: 36 },
  base: { encoder: files.baseEncoder, decoder: files.baseDecoder, heads: 8, headSize: 52 }
}

const BEGIN = 1
const END = 2
/** Nobody speaks faster. A longer text is the model repeating itself. */
const TOKENS_PER_SECOND = 6
const RATE = 16_000
/** The encoder fails with less audio, in samples. */
const SHORTEST = RATE / 4

/** Runs a step when its turn comes. A step that is no longer wanted has no result. */
export type Step = <A>(step: () => Promise<A>) => Promise<A | undefined>

export class Moonshine {
  readonly #runtime: Runtime
  readonly #encoder: InferenceSession
  readonly #decoder: InferenceSession
  readonly #size: Size
  readonly #tokenizer: LlamaTokenizer

  private constructor(
    runtime: Runtime,
    encoder: InferenceSession,
    decoder: InferenceSession,
    size: Size,
    tokenizer: LlamaTokenizer
  ) {
    this.#runtime = runtime
    this.#encoder = encoder
    this.#decoder = decoder
    this.#size = size
    this.#tokenizer = tokenizer
  }

  static async load(runtime: Runtime, recognizer: Recognizer): Promise<Moonshine> {
    const size = sizes[recognizer]
    const { default: tokenizer } = await import("llama-tokenizer-js")
    return new Moonshine(runtime, await runtime.open(size.encoder), await runtime.open(size.decoder), size, tokenizer)
  }

  /** The text of one segment. No result: the text is no longer wanted. */
  async recognize(samples: Float32Array, step: Step): Promise<string | undefined> {
    const { Tensor } = this.#runtime
    const encoded = await step(async () => {
      const padded = new Float32Array(Math.max(SHORTEST, samples.length))
      padded.set(samples)
      const outputs = await this.#encoder.run({ input_values: new Tensor("float32", padded, [1, padded.length]) })
      return outputOf(outputs, "last_hidden_state")
    })
    if (encoded === undefined) return undefined
    const past = this.#emptyPast()
    const tokens: Array<number> = []
    const most = Math.ceil((samples.length / RATE) * TOKENS_PER_SECOND)
    while (tokens.length < most) {
      const token = await step(() => this.#next(encoded, past, tokens.at(-1)))
      if (token === undefined) return undefined
      if (token === END) break
      tokens.push(token)
    }
    return this.#tokenizer.decode(tokens, false, false).trim()
  }

  #emptyPast(): Map<string, Tensor> {
    const { Tensor } = this.#runtime
    const { heads, headSize } = this.#size
    const names = this.#decoder.inputNames.filter((name) => name.startsWith("past_key_values"))
    return new Map(names.map((name) => [name, new Tensor("float32", new Float32Array(0), [0, heads, 1, headSize])]))
  }

  /** The most likely next token. `past` carries the keys and values of attention from one token to the next. */
  async #next(encoded: Tensor, past: Map<string, Tensor>, last: number | undefined): Promise<number> {
    const { Tensor } = this.#runtime
    const outputs = await this.#decoder.run({
      input_ids: new Tensor("int64", BigInt64Array.of(BigInt(last ?? BEGIN)), [1, 1]),
      encoder_hidden_states: encoded,
      use_cache_branch: new Tensor("bool", [last !== undefined]),
      ...Object.fromEntries(past)
    })
    for (const name of past.keys()) {
      // Those of the audio are computed only with the first token.
      if (last !== undefined && name.includes(".encoder.")) continue
      past.set(name, outputOf(outputs, name.replace("past_key_values", "present")))
    }
    const logits = floatsOf(outputOf(outputs, "logits"))
    let best = 0
    for (let index = 1; index < logits.length; index++) {
      if ((logits[index] ?? 0) > (logits[best] ?? 0)) best = index
    }
    return best
  }
}
