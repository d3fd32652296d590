import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { ServerFrame } from "../../protocol/Codec.js"
import type { ConnectError, Connection, ConnectionLost } from "../../RealtimeModel.js"

/** One connection of a session, from its handshake to its end. */
export interface Link {
  /** Its number in the session: what was meant for one connection is never sent on another. */
  readonly epoch: number
  readonly connection: Connection
  /** Ends it from this side. */
  readonly close: Effect.Effect<void>
}

/** What carries the session, as far as its handlers know of it. */
export interface Line {
  /** The number of the connection. */
  readonly epoch: () => number
  /** What carries the session now, if anything. */
  readonly connection: () => Connection | undefined
  /** The server has the settings again: the new connection carries the session. */
  readonly restored: () => void
  /** The server said that it will end the connection. */
  readonly lost: (error: ConnectionLost) => void
}

export interface Environment {
  readonly connect: Effect.Effect<Connection, ConnectError, Scope.Scope>
  /** Hands frames over, and waits while too many are not handled yet: then the provider holds the server back. */
  readonly received: (epoch: number, frames: Chunk.Chunk<ServerFrame>) => Effect.Effect<void>
  readonly lost: (epoch: number, error: ConnectionLost) => void
}

/** Opens a connection below the session's scope, and takes what comes on it to the session. */
export const open = (env: Environment, session: Scope.Scope, epoch: number): Effect.Effect<Link, ConnectError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(session, ExecutionStrategy.sequential)
      const close = Scope.close(scope, Exit.void)
      const connection = yield* restore(Scope.extend(env.connect, scope)).pipe(Effect.onError(() => close))
      // Not in the caller's region: the session's fibers must be stoppable, whoever starts it.
      yield* Effect.forkIn(Effect.interruptible(pump(env, connection, epoch)), scope)
      return { epoch, connection, close }
    })
  )

const pump = (env: Environment, connection: Connection, epoch: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (;;) {
      const [frames, done] = yield* connection.frames.takeAll
      if (Chunk.isNonEmpty(frames)) yield* env.received(epoch, frames)
      if (done) return
    }
  }).pipe(Effect.catchAll((error) => Effect.sync(() => env.lost(epoch, error))))
