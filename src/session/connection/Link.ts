import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { ConnectError, Connection } from "../../RealtimeModel.js"
import type { Parts } from "../Parts.js"

/** One connection of a session, from its handshake to its end. */
export interface Link {
  /** Its number in the session: what was meant for one connection is never sent on another. */
  readonly epoch: number
  readonly connection: Connection
  /** Ends it from this side. */
  readonly close: Effect.Effect<void>
}

/** Opens a connection below the session's own scope, and takes what comes on it to the session's inbox. */
export const open = (
  session: Parts,
  connect: Effect.Effect<Connection, ConnectError, Scope.Scope>,
  below: Scope.Scope,
  epoch: number
): Effect.Effect<Link, ConnectError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(below, ExecutionStrategy.sequential)
      const close = Scope.close(scope, Exit.void)
      const connection = yield* restore(Scope.extend(connect, scope)).pipe(Effect.onError(() => close))
      // Not in the caller's region: the session's fibers must be stoppable, whoever starts it.
      yield* Effect.forkIn(Effect.interruptible(pump(connection, session, epoch)), scope)
      return { epoch, connection, close }
    })
  )

const pump = ({ frames }: Connection, { inbox }: Parts, epoch: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (;;) {
      const [received, done] = yield* frames.takeAll
      if (Chunk.isNonEmpty(received)) yield* inbox.receive(epoch, received)
      if (done) return
    }
  }).pipe(Effect.catchAll((error) => Effect.sync(() => inbox.offer({ _tag: "Disconnected", epoch, error }))))
