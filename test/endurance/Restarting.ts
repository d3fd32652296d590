/** A server that can be killed, and comes back on the same port. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"

export interface Restarting {
  readonly url: string
  /** Those of all servers that there were. */
  readonly connections: Effect.Effect<ReadonlyArray<EmbeddedRealtime.ServerConnection>>
  /** Destroys every socket, and listens again: the new server keeps no state of the old one. */
  readonly restart: Effect.Effect<void>
  /** Ends every connection with a CLOSE frame, and listens again. */
  readonly replace: Effect.Effect<void>
  /** Handshakes so far, with those that were refused. */
  readonly handshakes: () => number
}

export const make = (
  options: Omit<EmbeddedRealtime.ServeOptions, "port" | "firstConnection">,
  /** Whether the connections of servers that are gone are kept, so that their messages can be inspected. */
  keeps: "all" | "current" = "all"
): Effect.Effect<
  Restarting,
  EmbeddedRealtime.OptionsInvalid | EmbeddedRealtime.PortTaken | EmbeddedRealtime.ListenFailed,
  Scope.Scope
> =>
  Effect.gen(function* () {
    let handshakes = 0
    const count: EmbeddedRealtime.Faults.Fault = (step) => {
      if (step._tag === "Connecting") handshakes = Math.max(handshakes, step.connection)
      return undefined
    }
    const listen = (port: number) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const served = yield* EmbeddedRealtime.serve({
          ...options,
          port,
          firstConnection: handshakes + 1,
          faults: [count, ...(options.faults ?? [])]
        }).pipe(
          Scope.extend(scope),
          Effect.onError(() => Scope.close(scope, Exit.void))
        )
        return { served, end: Scope.close(scope, Exit.void) }
      })

    let past: ReadonlyArray<EmbeddedRealtime.ServerConnection> = []
    let current = yield* listen(0)
    const { port, url } = current.served
    yield* Effect.addFinalizer(() => Effect.suspend(() => current.end))

    const listenAgain = Effect.gen(function* () {
      if (keeps === "all") past = [...past, ...(yield* current.served.connections)]
      // Another process's client may briefly have been given the port meanwhile.
      current = yield* Effect.retry(
        listen(port),
        Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(100))
      )
    }).pipe(Effect.orDie)

    return {
      url,
      connections: Effect.suspend(() => Effect.map(current.served.connections, (some) => [...past, ...some])),
      restart: Effect.suspend(() => Effect.zipRight(current.served.kill, current.end)).pipe(
        Effect.zipRight(listenAgain),
        Effect.uninterruptible
      ),
      replace: Effect.suspend(() => current.end).pipe(Effect.zipRight(listenAgain), Effect.uninterruptible),
      handshakes: () => handshakes
    }
  })
