import type { Action } from "./FaultAction.js"
import type { JsonObject } from "./Shape.js"

/**
 * Something that the server is about to do.
 *
 * @since 0.1.0
 * @category faults
 */
export type Step =
  | { readonly _tag: "Connecting"; readonly connection: number }
  | EventStep<"Incoming">
  | EventStep<"Outgoing">
  /** A turn of the user is over, and the server responds to it by itself. `nth`: on this connection, from 1. */
  | { readonly _tag: "Responding"; readonly connection: number; readonly nth: number }

/**
 * An event from the client (`Incoming`), or one that the server is about to send (`Outgoing`).
 *
 * @since 0.1.0
 * @category faults
 */
export interface EventStep<Tag extends string> {
  readonly _tag: Tag
  /** The number of the connection, from 1. */
  readonly connection: number
  readonly type: string
  readonly event: JsonObject
  /** The number among events of this type, on this connection and in this direction, from 1. */
  readonly nth: number
  /** The number among all events on this connection and in this direction, from 1. */
  readonly index: number
}

/**
 * Returns the actions for a step, or `undefined` for other steps. If there are several faults, the first one that
 * returns actions counts. An action that does not apply to a step does nothing.
 *
 * @since 0.1.0
 * @category faults
 */
export type Fault = (step: Step) => ReadonlyArray<Action> | undefined

/** Counts the events of one direction of one connection, and asks the faults about each. */
export class Counter {
  readonly #tag: "Incoming" | "Outgoing"
  readonly #connection: number
  readonly #faults: ReadonlyArray<Fault>
  readonly #byType = new Map<string, number>()
  #index = 0

  constructor(tag: "Incoming" | "Outgoing", connection: number, faults: ReadonlyArray<Fault>) {
    this.#tag = tag
    this.#connection = connection
    this.#faults = faults
  }

  strike(event: JsonObject): ReadonlyArray<Action> | undefined {
    if (this.#faults.length === 0) return undefined
    const type = typeof event["type"] === "string" ? event["type"] : ""
    const nth = (this.#byType.get(type) ?? 0) + 1
    this.#byType.set(type, nth)
    this.#index += 1
    return first(this.#faults, { _tag: this.#tag, connection: this.#connection, type, event, nth, index: this.#index })
  }
}

/** The actions of the first fault that has any. */
export const first = (faults: ReadonlyArray<Fault>, step: Step): ReadonlyArray<Action> | undefined => {
  for (const fault of faults) {
    const actions = fault(step)
    if (actions !== undefined) return actions
  }
  return undefined
}
