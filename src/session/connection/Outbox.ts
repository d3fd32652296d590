import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Connection } from "../../RealtimeModel.js"

/**
 * What the session's handlers want done, in the order in which they want it. Handlers are synchronous, so nothing can
 * come between two of their steps; the loop carries this out after each input.
 */
export interface Outbox<Event, Err, R> {
  /** `handed` hears whether the event was handed to an open connection, or is kept for the next. */
  readonly send: (event: ClientEvent, handed?: (ok: boolean) => void) => void
  /** Sends on this connection, also before it carries the session. */
  readonly sendOn: (connection: Connection, event: ClientEvent) => void
  readonly publish: (event: Event) => void
  /** Runs an effect that does not wait: forking a call, writing a log line. */
  readonly run: (effect: Effect.Effect<unknown, never, R>) => void
  /** Called when all that was wanted before is done. */
  readonly afterwards: (act: () => void) => void
  readonly end: (exit: Exit.Exit<void, Err>) => void
  /** How the session ended, once it has. */
  readonly ended: () => Exit.Exit<void, Err> | undefined
  /** Carries out what is there, and what that brings. Nothing is sent once the session has ended. */
  readonly flush: Effect.Effect<void, never, R>
}

type Action<R> =
  | {
      readonly _tag: "Send"
      readonly event: ClientEvent
      readonly on: Connection | undefined
      readonly handed: ((ok: boolean) => void) | undefined
    }
  | { readonly _tag: "Run"; readonly effect: Effect.Effect<unknown, never, R> }
  | { readonly _tag: "Do"; readonly act: () => void }

export interface Environment<Event> {
  /** What carries the session now, if anything. */
  readonly connection: () => Connection | undefined
  /** Of every event that is sent by the session. */
  readonly sent: (event: ClientEvent) => void
  /** There is no connection. Whether the event will be sent on the next one. */
  readonly keep: (event: ClientEvent) => boolean
  readonly publish: (event: Event) => void
  /** An event that JSON has no words for costs nothing but itself. */
  readonly unsendable: (event: ClientEvent) => void
}

export const make = <Event, Err, R>(env: Environment<Event>): Outbox<Event, Err, R> => {
  let actions: Array<Action<R>> = []
  let ended: Exit.Exit<void, Err> | undefined

  const handOver = (connection: Connection, event: ClientEvent): Effect.Effect<"Handed" | "Lost" | "Unsendable"> =>
    connection.send(event).pipe(
      Effect.as("Handed" as const),
      // The connection's own end tells the session why; here only whether this event left.
      Effect.catchAll(() => Effect.succeed("Lost" as const)),
      Effect.catchAllDefect(() => {
        env.unsendable(event)
        return Effect.succeed("Unsendable" as const)
      })
    )

  const handOverOrKeep = ({ event, on }: Extract<Action<R>, { _tag: "Send" }>): Effect.Effect<boolean> => {
    const connection = on ?? env.connection()
    if (connection === undefined) return Effect.sync(() => env.keep(event))
    return Effect.map(
      handOver(connection, event),
      (outcome) => outcome === "Handed" || (outcome === "Lost" && env.keep(event))
    )
  }

  return {
    send: (event, handed) => {
      env.sent(event)
      actions.push({ _tag: "Send", event, on: undefined, handed })
    },
    sendOn: (on, event) => actions.push({ _tag: "Send", event, on, handed: undefined }),
    publish: (event) => actions.push({ _tag: "Do", act: () => env.publish(event) }),
    run: (effect) => actions.push({ _tag: "Run", effect }),
    afterwards: (act) => actions.push({ _tag: "Do", act }),
    end: (exit) =>
      actions.push({
        _tag: "Do",
        act: () => {
          ended ??= exit
        }
      }),
    ended: () => ended,
    flush: Effect.gen(function* () {
      while (actions.length > 0) {
        const batch = actions
        actions = []
        for (const action of batch) {
          switch (action._tag) {
            case "Do":
              action.act()
              break
            case "Run":
              if (ended === undefined) yield* action.effect
              break
            case "Send": {
              const ok = ended === undefined && (yield* handOverOrKeep(action))
              action.handed?.(ok)
              break
            }
          }
        }
      }
    })
  }
}
