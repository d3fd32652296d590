import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { SessionClosed } from "../SessionError.js"

/** Commands of the application: each runs in the loop, between two inputs, and its caller waits for the answer. */
export interface Asking {
  readonly ask: <A, Err>(
    command: (reply: (exit: Exit.Exit<A, Err>) => void) => void
  ) => Effect.Effect<A, Err | SessionClosed>
  /** A command that is done when all that it wants was carried out on this side. */
  readonly command: <A>(act: () => A) => Effect.Effect<A, SessionClosed>
  /** Nobody answers any more. */
  readonly close: () => void
}

export interface Environment {
  /** `false`: there is no loop any more. */
  readonly offer: (command: () => void) => boolean
  /** Called when all that was wanted before is done. */
  readonly afterwards: (act: () => void) => void
}

export const make = ({ afterwards, offer }: Environment): Asking => {
  const waiting = new Set<(exit: Exit.Exit<never, SessionClosed>) => void>()
  const closed = Exit.fail(new SessionClosed())

  const ask: Asking["ask"] = <A, Err>(command: (reply: (exit: Exit.Exit<A, Err>) => void) => void) =>
    Effect.async<A, Err | SessionClosed>((resume) => {
      const reply = (exit: Exit.Exit<A, Err | SessionClosed>): void => {
        waiting.delete(reply)
        resume(exit)
      }
      waiting.add(reply)
      const run = (): void => {
        try {
          command(reply)
        } catch (thrown) {
          // Who asked has the defect; the loop says that something failed, and goes on.
          reply(Exit.die(thrown))
          throw thrown
        }
      }
      if (!offer(run)) reply(closed)
      return Effect.sync(() => waiting.delete(reply))
    })

  return {
    ask,
    command: (act) =>
      ask<ReturnType<typeof act>, never>((reply) => {
        const result = act()
        afterwards(() => reply(Exit.succeed(result)))
      }),
    close: () => {
      for (const reply of waiting) reply(closed)
    }
  }
}
