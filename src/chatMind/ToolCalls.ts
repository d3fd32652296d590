/** Assembles the tool calls of one answer from their deltas. */
import type { CallDelta } from "./Chunk.js"

export interface AssembledCall {
  readonly name: string
  /** JSON text, if the model wrote any. */
  readonly arguments: string
}

interface Growing {
  readonly index: number | undefined
  id: string | undefined
  name: string
  arguments: string
}

export class ToolCalls {
  readonly #calls: Array<Growing> = []

  /**
   * A delta belongs to the latest call with its index, or to the latest of all if it has none. A different id begins
   * another call, because some servers give all calls the index 0, and a different id to each.
   */
  push(delta: CallDelta): void {
    const { id, index } = delta
    const known = this.#calls.findLast((call) => index === undefined || call.index === index)
    const begins = known === undefined || (id !== undefined && known.id !== undefined && known.id !== id)
    const call: Growing = begins ? { index, id, name: "", arguments: "" } : known
    if (begins) this.#calls.push(call)
    call.id ??= id
    // A name may come in pieces, or be repeated with each piece of the arguments.
    if (call.arguments === "" && call.name !== delta.name) call.name += delta.name
    call.arguments += delta.arguments
  }

  /** In order of their indices; without indices, in order of arrival. */
  get all(): ReadonlyArray<AssembledCall> {
    const inOrder = this.#calls.toSorted((one, other) => (one.index ?? 0) - (other.index ?? 0))
    return inOrder.map(({ name, arguments: args }) => ({ name, arguments: args.trim() === "" ? "{}" : args }))
  }
}
