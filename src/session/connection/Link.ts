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

/** Opens a connection below the session's own scope. What comes on it waits until `attend`. */
export const open = (
  connect: Effect.Effect<Connection, ConnectError, Scope.Scope>,
  below: Scope.Scope,
  epoch: number
): Effect.Effect<Link, ConnectError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(below, ExecutionStrategy.sequential)
      const close = Scope.close(scope, Exit.void)
      const connection = yield* restore(Scope.extend(connect, scope)).pipe(Effect.onError(() => close))
      return { epoch, connection, close }
    })
  )

/** From now on the loop is told when there is something on the connection to take. */
export const attend = (link: Link, { inbox }: Parts): void =>
  link.connection.frames.listen(() => inbox.offer({ _tag: "Received", link }))
