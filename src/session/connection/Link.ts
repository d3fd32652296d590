import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { ConnectError, Connection } from "../../RealtimeModel.js"
import type { Parts } from "../Parts.js"

/** One connection of a session, from its handshake to its end. */
export interface Link {
  /** Its number in the session. An event for one connection is never sent on another. */
  readonly epoch: number
  readonly connection: Connection
  /** Ends the connection from this side. */
  readonly close: Effect.Effect<void>
}

/** Opens a connection in a scope below the session's. Its frames wait until `attend` is called. */
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

/** From now on, the loop is told when there is something to take on the connection. */
export const attend = (link: Link, { inbox }: Parts): void =>
  link.connection.frames.listen(() => inbox.offer({ _tag: "Received", link }))
