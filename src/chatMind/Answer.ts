/**
 * Turns the chunks of an answer into the parts of a response: first the text, as it arrives, and then the calls, which are
 * complete only at the end.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import { call, cutShort, type Part, type Parts, sayDelta, usage } from "../embedded/Mind.js"
import type { Chunk, Tokens } from "./Chunk.js"
import { brokenOff, type ChatFailed, gaveUp, nameless, unreadable } from "./Failure.js"
import { Speech } from "./Speech.js"
import { ToolCalls } from "./ToolCalls.js"

/** The input: a chunk, or the end marker, which some servers do not send. */
export type Read = Chunk | { readonly _tag: "Done" }

class Answer {
  readonly #speech = new Speech()
  readonly #calls = new ToolCalls()
  #tokens: Tokens | undefined
  #finish: string | undefined
  #isDone = false

  push(read: Read): Either.Either<Parts, ChatFailed> {
    switch (read._tag) {
      case "Done":
        this.#isDone = true
        return Either.right([])
      case "Refused":
        return Either.left(gaveUp(read))
      case "Unreadable":
        return Either.left(unreadable(read.data))
      case "Delta":
        for (const delta of read.calls) this.#calls.push(delta)
        this.#tokens = read.tokens ?? this.#tokens
        this.#finish = read.finish ?? this.#finish
        return Either.right(said(this.#speech.push(read.text)))
    }
  }

  end(): Either.Either<Parts, ChatFailed> {
    const finish = this.#finish
    if (!this.#isDone && finish === undefined) return Either.left(brokenOff)
    if (finish === "error") return Either.left(gaveUp({ code: undefined, message: "" }))
    const calls = this.#calls.all
    if (calls.some(({ name }) => name === "")) return Either.left(nameless)
    return Either.right([
      ...said(this.#speech.end()),
      ...calls.map(({ name, arguments: args }) => call(name, args)),
      // This comes before the end, which may come early, because nothing is counted after it.
      ...(this.#tokens === undefined ? [] : [usage(this.#tokens.input, this.#tokens.output)]),
      ...(finish === "length" ? [cutShort("max_output_tokens")] : []),
      ...(finish === "content_filter" ? [cutShort("content_filter")] : [])
    ])
  }
}

const said = (text: string): Parts => (text === "" ? [] : [sayDelta(text)])

/** The parts of the answer that is read. Fails if the answer is incomplete. */
export const partsOf = <E>(chunks: Stream.Stream<Read, E>): Stream.Stream<Part, E | ChatFailed> =>
  Stream.suspend(() => {
    const answer = new Answer()
    return Stream.concat(
      Stream.mapConcatEffect(chunks, (chunk) => answer.push(chunk)),
      Stream.fromIterableEffect(Effect.suspend(() => answer.end()))
    )
  })
