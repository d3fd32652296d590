/**
 * Text that comes piece by piece, cut into sentences for a voice to speak. Each is given as soon as its end is known, so
 * that speech can begin before the text ends. Where the pieces begin and end makes no difference.
 */

/** A sentence that is longer, in characters, is cut between two words: about 25 seconds of speech. */
const LONGEST = 400

const SENTENCE = /^(?:[^.!?]+[.!?]*\s*|[.!?]+\s*)/

export class Sentences {
  #rest = ""

  /** The sentences that end in this piece. */
  push(text: string): ReadonlyArray<string> {
    this.#rest += text
    return this.#take((length) => length < this.#rest.length)
  }

  /** There is no more text: what is left of it. */
  end(): ReadonlyArray<string> {
    return this.#take(() => true)
  }

  /** @param isWhole whether a sentence with which the text begins can't go on */
  #take(isWhole: (length: number) => boolean): ReadonlyArray<string> {
    const sentences: Array<string> = []
    while (this.#rest !== "") {
      const length = SENTENCE.exec(this.#rest.slice(0, LONGEST + 1))?.[0].length ?? this.#rest.length
      if (length <= LONGEST && !isWhole(length)) break
      const taken = length <= LONGEST ? length : cutOf(this.#rest)
      sentences.push(this.#rest.slice(0, taken))
      this.#rest = this.#rest.slice(taken)
    }
    return sentences
  }
}

/** Behind the last space that is near enough; never in the middle of a character. */
const cutOf = (text: string): number => {
  const space = text.slice(0, LONGEST).search(/\s\S*$/)
  if (space > 0) return space + 1
  return /[\uD800-\uDBFF]/.test(text.charAt(LONGEST - 1)) ? LONGEST - 1 : LONGEST
}
