/**
 * Splits text that comes piece by piece into sentences for a voice. Each sentence is returned as soon as its end is
 * known, so that speech can begin before the text ends. The boundaries of the pieces make no difference.
 */
import { wordBreak } from "./wordBreak.js"

/** A longer sentence, in characters, is split between two words: about 25 seconds of speech. */
const LONGEST = 400

const SENTENCE = /^(?:[^.!?]+[.!?]*\s*|[.!?]+\s*)/

export class Sentences {
  #rest = ""

  /** Returns the sentences that end in this piece. */
  push(text: string): ReadonlyArray<string> {
    this.#rest += text
    return this.#take((length) => length < this.#rest.length)
  }

  /** Ends the text. Returns the rest. */
  end(): ReadonlyArray<string> {
    return this.#take(() => true)
  }

  /** @param isWhole whether a sentence at the beginning of the text is complete */
  #take(isWhole: (length: number) => boolean): ReadonlyArray<string> {
    const sentences: Array<string> = []
    while (this.#rest !== "") {
      const length = SENTENCE.exec(this.#rest.slice(0, LONGEST + 1))?.[0].length ?? this.#rest.length
      if (length <= LONGEST && !isWhole(length)) break
      const taken = length <= LONGEST ? length : wordBreak(this.#rest, LONGEST)
      sentences.push(this.#rest.slice(0, taken))
      this.#rest = this.#rest.slice(taken)
    }
    return sentences
  }
}
