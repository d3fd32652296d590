import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type { ServerFrame } from "../protocol/Codec.js"
import type { ConnectionLost } from "../RealtimeModel.js"
import type { Report } from "./calls/CallFiber.js"
import type * as Connections from "./connection/Connections.js"
import type * as Guardrails from "./guardrails/Guardrails.js"

/** Everything that can happen to a session. */
export type Input<E> =
  | { readonly _tag: "Received"; readonly epoch: number; readonly frames: Chunk.Chunk<ServerFrame> }
  | { readonly _tag: "Disconnected"; readonly epoch: number; readonly error: ConnectionLost }
  | { readonly _tag: "Searched"; readonly report: Connections.Report }
  | { readonly _tag: "Commanded"; readonly command: () => void }
  | { readonly _tag: "Reported"; readonly callId: string; readonly report: Report<E> }
  | { readonly _tag: "Judged"; readonly report: Guardrails.Report }
  | { readonly _tag: "TimePassed" }
  | { readonly _tag: "Closed" }

/** How many frames may wait for the loop before the provider is to hold the server back. */
export const maxUnhandled = 4096

/** What happened to a session and is not handled yet, in its order. One loop takes it. */
export class Inbox<out E = unknown> {
  #inputs: Array<Input<E>> = []
  #isClosed = false
  #wake: (() => void) | undefined
  #unhandledFrames = 0
  #held: Array<() => void> = []

  /** `false`: there is no loop any more. */
  offer(input: Input<E>): boolean {
    if (this.#isClosed) return false
    this.#inputs.push(input)
    this.#wake?.()
    return true
  }

  /** Hands frames over, and waits while too many are not handled yet: then the provider holds the server back. */
  receive(epoch: number, frames: Chunk.Chunk<ServerFrame>): Effect.Effect<void> {
    this.offer({ _tag: "Received", epoch, frames })
    this.#unhandledFrames += frames.length
    if (this.#unhandledFrames <= maxUnhandled) return Effect.void
    return Effect.async<void>((resume) => {
      this.#held.push(() => resume(Effect.void))
    })
  }

  /** The loop has come to so many frames. */
  handled(frames: number): void {
    this.#unhandledFrames -= frames
    if (this.#held.length === 0 || this.#unhandledFrames > maxUnhandled) return
    const held = this.#held
    this.#held = []
    for (const resume of held) resume()
  }

  /** Waits until there is something. */
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

  /** Nothing is taken any more. */
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
