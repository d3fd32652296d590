/** A user who talks to an agent, turn by turn, and decides on the calls that wait for approval. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Conversation from "../../src/Conversation.js"
import type * as Session from "../../src/Session.js"
import type { SessionError } from "../../src/SessionError.js"
import type { ToolError } from "../../src/ToolError.js"
import { done, turn } from "./mind.js"

/** The session ended before the caller was done. */
export class HungUp extends Data.TaggedError("HungUp")<{ readonly message: string }> {}

const isSaid =
  (text: string) =>
  ({ items }: Conversation.Conversation): boolean =>
    items.findLast(
      (item) => item._tag === "Message" && item.role === "assistant" && Conversation.textOf(item) === text
    ) !== undefined

/** Waits until the model has said it, in the conversation that the session has. */
export const heard = <E>(
  session: Session.Session<E>,
  text: string
): Effect.Effect<void, SessionError | ToolError<E> | HungUp> =>
  session.conversation.changes.pipe(
    Stream.filter(isSaid(text)),
    Stream.runHead,
    Effect.flatMap((found) =>
      found._tag === "Some"
        ? Effect.void
        : Effect.zipRight(session.await, Effect.fail(new HungUp({ message: `It ended before "${text}".` })))
    )
  )

/** Takes a turn, and waits for the end of the answer. */
export const take = <E>(
  session: Session.Session<E>,
  n: number,
  functions: ReadonlyArray<string>
): Effect.Effect<void, SessionError | ToolError<E> | HungUp> =>
  Effect.zipRight(
    Effect.mapError(session.sendText(turn(n, functions)), () => new HungUp({ message: `It ended in turn ${n}.` })),
    heard(session, done(n))
  )

/**
 * Decides on every call that waits, also on one that waited before anyone listened, until the session ends: a decision
 * that comes in vain is a defect.
 */
export const decide = <E>(session: Session.Session<E>, says: (callId: string) => "yes" | "no"): Effect.Effect<void> => {
  let decided: ReadonlySet<string> = new Set()
  return Stream.runForEach(session.pendingApprovals.changes, (pending) => {
    const waiting = pending.map(({ call }) => call.callId)
    const undecided = waiting.filter((callId) => !decided.has(callId))
    decided = new Set(waiting)
    return Effect.forEach(undecided, (callId) =>
      (says(callId) === "yes" ? session.approve(callId) : session.reject(callId)).pipe(
        Effect.catchTag("SessionClosed", () => Effect.void),
        Effect.orDie
      )
    )
  })
}
