/**
 * Ids of one connection, or of one call, readable and the same in each run: `item_1_4` is the fourth item of the first
 * connection.
 */
type Kind = "sess" | "event" | "item" | "resp" | "call" | "conv"

export class Ids {
  readonly #counts = new Map<string, number>()
  readonly #of: number | string

  constructor(of: number | string) {
    this.#of = of
  }

  next(kind: Kind): string {
    const id = this.peek(kind)
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    return id
  }

  /** The id that `next` will return. */
  peek(kind: Kind): string {
    return `${kind}_${this.#of}_${(this.#counts.get(kind) ?? 0) + 1}`
  }

  /** Skips ids that a client brought from an earlier connection. */
  unused(kind: "item" | "call", taken: (id: string) => boolean): string {
    let id = this.next(kind)
    while (taken(id)) id = this.next(kind)
    return id
  }
}
