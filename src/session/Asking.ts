import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { SessionClosed } from "../SessionError.js"
import type { Parts } from "./Parts.js"

/** Commands of the application. Each one runs in the loop, between two inputs, and its caller waits for the reply. */
export class Asking {
  readonly #session: Parts
  readonly #waiting = new Set<(exit: Exit.Exit<never, SessionClosed>) => void>()

  constructor(session: Parts) {
    this.#session = session
  }

  ask<A, Err>(command: (reply: (exit: Exit.Exit<A, Err>) => void) => void): Effect.Effect<A, Err | SessionClosed> {
    return Effect.async<A, Err | SessionClosed>((resume) => {
      const reply = (exit: Exit.Exit<A, Err | SessionClosed>): void => {
        this.#waiting.delete(reply)
        resume(exit)
      }
      this.#waiting.add(reply)
      const run = (): void => {
        try {
          command(reply)
        } catch (thrown) {
          // The caller gets the defect; the loop publishes that something failed, and goes on.
          reply(Exit.die(thrown))
          throw thrown
        }
      }
      if (!this.#session.inbox.offer({ _tag: "Commanded", command: run })) reply(Exit.fail(new SessionClosed()))
      return Effect.sync(() => this.#waiting.delete(reply))
    })
  }

  /** A command that is done when everything that it caused was carried out on this side. */
  command<A>(act: () => A): Effect.Effect<A, SessionClosed> {
    return this.ask<A, never>((reply) => {
      const result = act()
      this.#session.outbox.afterwards(() => reply(Exit.succeed(result)))
    })
  }

  /** No more replies. */
  close(): void {
    if (this.#waiting.size === 0) return
    const closed = Exit.fail(new SessionClosed())
    for (const reply of this.#waiting) reply(closed)
  }
}
