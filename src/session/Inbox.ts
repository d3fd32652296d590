import * as Effect from "effect/Effect"
import type { Report } from "./calls/CallFiber.js"
import type * as Connections from "./connection/Connections.js"
import type { Link } from "./connection/Link.js"
import type * as Guardrails from "./guardrails/Guardrails.js"

/** Every kind of input of a session. */
export type Input<E> =
  /** Frames wait on this link, or it has ended. */
  | { readonly _tag: "Received"; readonly link: Link }
  | { readonly _tag: "Searched"; readonly report: Connections.Report }
  | { readonly _tag: "Commanded"; readonly command: () => void }
  | { readonly _tag: "Reported"; readonly callId: string; readonly report: Report<E> }
  | { readonly _tag: "Judged"; readonly report: Guardrails.Report }
  | { readonly _tag: "TimePassed" }
  | { readonly _tag: "Closed" }

/** What has happened to a session and is not handled yet, in order. A single loop reads it. */
export class Inbox<out E = unknown> {
  #inputs: Array<Input<E>> = []
  #isClosed = false
  #wake: (() => void) | undefined

  /** Returns `false` if the loop has ended. */
  offer(input: Input<E>): boolean {
    if (this.#isClosed) return false
    this.#inputs.push(input)
    this.#wake?.()
    return true
  }

  /** Waits until there is at least one input. */
  readonly takeAll: Effect.Effect<ReadonlyArray<Input<E>>> = Effect.suspend(() =>
    this.#inputs.length > 0
      ? Effect.succeed(this.#take())
      : Effect.async<ReadonlyArray<Input<E>>>((resume) => {
          this.#wake = () => {
            this.#wake = undefined
            resume(Effect.sync(() => this.#take()))
          }
        })
  )

  /** No more inputs are taken. */
  close(): void {
    this.#isClosed = true
    this.#inputs = []
  }

  #take(): ReadonlyArray<Input<E>> {
    const inputs = this.#inputs
    this.#inputs = []
    return inputs
  }
}
