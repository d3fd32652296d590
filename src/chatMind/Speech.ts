/**
 * The part of a model's text that is meant to be heard. Blank space at its beginning is not, nor is what a reasoning model
 * thinks between `<think>` and `</think>` before it answers, if its server does not separate the two.
 */

const OPENING = "<think>"
const CLOSING = "</think>"

type State =
  /** Nothing was said yet, and the text may be the beginning of `<think>`. */
  | { readonly _tag: "Beginning"; readonly text: string }
  /** The end of the reasoning so far, which may be the beginning of `</think>`. */
  | { readonly _tag: "Thinking"; readonly text: string }
  | { readonly _tag: "Speaking" }

export class Speech {
  #state: State = { _tag: "Beginning", text: "" }

  /** Returns what can be said after the next piece of text. */
  push(piece: string): string {
    let text = piece
    while (true) {
      switch (this.#state._tag) {
        case "Speaking":
          return text
        case "Beginning": {
          text = (this.#state.text + text).trimStart()
          if (OPENING.startsWith(text)) {
            this.#state = { _tag: "Beginning", text }
            return ""
          }
          const thinks = text.startsWith(OPENING)
          this.#state = thinks ? { _tag: "Thinking", text: "" } : { _tag: "Speaking" }
          if (thinks) text = text.slice(OPENING.length)
          break
        }
        case "Thinking": {
          text = this.#state.text + text
          const end = text.indexOf(CLOSING)
          if (end < 0) {
            this.#state = { _tag: "Thinking", text: text.slice(1 - CLOSING.length) }
            return ""
          }
          this.#state = { _tag: "Beginning", text: "" }
          text = text.slice(end + CLOSING.length)
          break
        }
      }
    }
  }

  /** Ends the text. Returns what was held back. */
  end(): string {
    return this.#state._tag === "Beginning" ? this.#state.text : ""
  }
}
