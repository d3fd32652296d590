/** Records what a connection's client sent, for tests. */
import * as Effect from "effect/Effect"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { type Keeper, LONG, type Memory } from "./Budget.js"
import type { JsonObject, Refusal } from "./Shape.js"

/**
 * A client event that was answered with an `error`.
 *
 * @since 0.1.0
 * @category connections
 */
export interface RefusedEvent {
  readonly event: JsonObject
  readonly refusal: Refusal
}

/** In order of arrival, which is a number. */
type Entry = { readonly order: number } & (
  | { readonly _tag: "Received"; readonly event: ClientEvent }
  | { readonly _tag: "Refused"; readonly refused: RefusedEvent }
)

/** The latest entries of one connection, either short or long. */
class Shelf implements Keeper {
  #entries: Array<Entry> = []
  #first = 0

  push(entry: Entry): void {
    this.#entries.push(entry)
  }

  forgetOldest(): void {
    this.#first += 1
    if (this.#first * 2 < this.#entries.length) return
    this.#entries = this.#entries.slice(this.#first)
    this.#first = 0
  }

  all(): ReadonlyArray<Entry> {
    return this.#entries.slice(this.#first)
  }

  /** The first event of a type after this position. */
  next(type: string, behind: number): (Entry & { readonly _tag: "Received" }) | undefined {
    let [low, high] = [this.#first, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.order ?? 0) > behind) high = middle
      else low = middle + 1
    }
    for (let index = low; index < this.#entries.length; index += 1) {
      const entry = this.#entries[index]
      if (entry?._tag === "Received" && entry.event.type === type) return entry
    }
    return undefined
  }
}

interface Waiting {
  readonly type: string
  readonly resume: (event: Effect.Effect<ClientEvent>) => void
}

export class Recorder {
  readonly #memory: Memory
  readonly #short = new Shelf()
  readonly #long = new Shelf()
  /** For each type, the position of the last event that `next` returned. */
  readonly #given = new Map<string, number>()
  #waiting: ReadonlyArray<Waiting> = []
  #count = 0
  #ended = false

  constructor(memory: Memory) {
    this.#memory = memory
  }

  get events(): ReadonlyArray<ClientEvent> {
    return this.#entries().flatMap((entry) => (entry._tag === "Received" ? [entry.event] : []))
  }

  get refusals(): ReadonlyArray<RefusedEvent> {
    return this.#entries().flatMap((entry) => (entry._tag === "Refused" ? [entry.refused] : []))
  }

  /** @param length of the frame, in characters */
  received(event: ClientEvent, length: number): void {
    this.#count += 1
    this.#keep({ _tag: "Received", order: this.#count, event }, length)
    const first = this.#waiting.find(({ type }) => type === event.type)
    if (first === undefined) return
    this.#waiting = this.#waiting.filter((other) => other !== first)
    this.#given.set(event.type, this.#count)
    first.resume(Effect.succeed(event))
  }

  /** @param length of the frame, in characters */
  refused(refused: RefusedEvent, length: number): void {
    this.#count += 1
    this.#keep({ _tag: "Refused", order: this.#count, refused }, length)
  }

  next<Type extends ClientEvent["type"]>(type: Type): Effect.Effect<Extract<ClientEvent, { readonly type: Type }>> {
    return Effect.async<ClientEvent>((resume) => {
      const given = this.#given.get(type) ?? 0
      const found = [this.#short.next(type, given), this.#long.next(type, given)]
        .flatMap((entry) => (entry === undefined ? [] : [entry]))
        .toSorted((a, b) => a.order - b.order)[0]
      if (found !== undefined) {
        this.#given.set(type, found.order)
        resume(Effect.succeed(found.event))
        return
      }
      const waiting: Waiting = { type, resume }
      if (this.#ended) resume(tooLate(type))
      else this.#waiting = [...this.#waiting, waiting]
      return Effect.sync(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
      })
    }).pipe(
      Effect.filterOrDieMessage(
        (event): event is Extract<ClientEvent, { readonly type: Type }> => event.type === type,
        "An event was filed under another type."
      )
    )
  }

  end(): void {
    this.#ended = true
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resume, type } of waiting) resume(tooLate(type))
  }

  #keep(entry: Entry, length: number): void {
    const [shelf, budget] = length < LONG ? [this.#short, this.#memory.short] : [this.#long, this.#memory.long]
    shelf.push(entry)
    budget.add(shelf, length)
  }

  #entries(): ReadonlyArray<Entry> {
    return [...this.#short.all(), ...this.#long.all()].sort((a, b) => a.order - b.order)
  }
}

const tooLate = (type: string): Effect.Effect<never> =>
  Effect.dieMessage(`The connection ended before the client sent a ${type}.`)
