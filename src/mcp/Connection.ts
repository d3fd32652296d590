/** A connection to a server that is made again when it is lost, within bounds. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Link } from "./Link.js"
import type { McpConnectFailed } from "./McpError.js"

export interface Restarts {
  /** How many attempts in a row. */
  readonly maxAttempts: number
  /** The wait before the first attempt. It doubles with each one. */
  readonly backoff: Duration.Duration
  /** After this time with a connection, the attempts are counted from the beginning. */
  readonly resetAfter: Duration.Duration
}

export interface Watcher {
  readonly lost: (reason: string) => Effect.Effect<void>
  readonly restarted: Effect.Effect<void>
  readonly gaveUp: (reason: string) => Effect.Effect<void>
}

export interface Connection {
  /** The link of this moment. While a new one is being made, this waits; after the last attempt, it is `undefined`. */
  readonly link: Effect.Effect<Link | undefined>
}

interface Dialled {
  readonly link: Link
  readonly scope: Scope.CloseableScope
}

/** Makes the first connection, or fails; then keeps one, as long as the scope lasts. */
export const connect = (
  dial: Effect.Effect<Link, McpConnectFailed, Scope.Scope>,
  restarts: Restarts,
  watcher: Watcher
): Effect.Effect<Connection, McpConnectFailed, Scope.Scope> =>
  Effect.gen(function* () {
    // Closed after the fiber that watches has ended: a link that closes with the scope is not lost, and not made again.
    const links = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const dialled: Effect.Effect<Dialled, McpConnectFailed> = Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(links, ExecutionStrategy.sequential)
        const link = yield* restore(Scope.extend(dial, scope)).pipe(
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        return { link, scope }
      })
    )
    let current = yield* dialled
    let waiting = yield* Deferred.make<Link | undefined>()
    yield* Deferred.succeed(waiting, current.link)

    /** Tries until there is a connection, or no attempt is left. */
    const again = (attempts: number, reason: string): Effect.Effect<Either.Either<number, string>> =>
      attempts >= restarts.maxAttempts
        ? Effect.succeed(Either.left(reason))
        : Effect.either(dialled).pipe(
            Effect.delay(Duration.times(restarts.backoff, 2 ** attempts)),
            Effect.flatMap((result) => {
              if (Either.isLeft(result)) return again(attempts + 1, result.left.reason)
              current = result.right
              return Effect.succeed(Either.right(attempts + 1))
            })
          )

    const supervise = (attempts: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        const [upFor, reason] = yield* Effect.timed(Deferred.await(current.link.lost))
        const next = yield* Deferred.make<Link | undefined>()
        waiting = next
        yield* watcher.lost(reason)
        yield* Scope.close(current.scope, Exit.void)
        const counted = Duration.greaterThanOrEqualTo(upFor, restarts.resetAfter) ? 0 : attempts
        const outcome = yield* again(counted, reason)
        if (Either.isLeft(outcome)) {
          yield* Deferred.succeed(next, undefined)
          return yield* watcher.gaveUp(outcome.left)
        }
        yield* Deferred.succeed(next, current.link)
        yield* watcher.restarted
        return yield* supervise(outcome.right)
      })

    yield* Effect.forkScoped(supervise(0))
    return { link: Effect.suspend(() => Deferred.await(waiting)) }
  })
