import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { Connection } from "../RealtimeModel.js"

/**
 * What the session's handlers want done, in the order in which they want it. Handlers are synchronous, so nothing can
 * come between two of their steps; the loop carries this out after each input.
 */
export interface Outbox<Event, Err, R> {
  /** `handed` hears whether the event was handed to an open connection. */
  readonly send: (event: ClientEvent, handed?: (ok: boolean) => void) => void
  readonly publish: (event: Event) => void
  /** Runs an effect that does not wait: forking a call, writing a log line. */
  readonly run: (effect: Effect.Effect<unknown, never, R>) => void
  readonly end: (exit: Exit.Exit<void, Err>) => void
  /** How the session ended, once it has. */
  readonly ended: () => Exit.Exit<void, Err> | undefined
  /** Carries out what is there, and what that brings. Nothing is sent once the session has ended. */
  readonly flush: Effect.Effect<void, never, R>
}

type Action<R> =
  | { readonly _tag: "Send"; readonly event: ClientEvent; readonly handed: ((ok: boolean) => void) | undefined }
  | { readonly _tag: "Run"; readonly effect: Effect.Effect<unknown, never, R> }
  | { readonly _tag: "Do"; readonly act: () => void }

export const make = <Event, Err, R>(
  connection: Connection,
  publish: (event: Event) => void,
  /** An event that JSON has no words for costs nothing but itself. */
  unsendable: (type: string) => void
): Outbox<Event, Err, R> => {
  let actions: Array<Action<R>> = []
  let ended: Exit.Exit<void, Err> | undefined

  const handOver = (event: ClientEvent): Effect.Effect<boolean> =>
    connection.send(event).pipe(
      Effect.as(true),
      // The connection's own end tells the session why; here only whether this event left.
      Effect.catchAll(() => Effect.succeed(false)),
      Effect.catchAllDefect(() => Effect.sync(() => unsendable(event.type))),
      Effect.map((sent) => sent === true)
    )

  return {
    send: (event, handed) => actions.push({ _tag: "Send", event, handed }),
    publish: (event) => actions.push({ _tag: "Do", act: () => publish(event) }),
    run: (effect) => actions.push({ _tag: "Run", effect }),
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
              const ok = ended === undefined && (yield* handOver(action.event))
              action.handed?.(ok)
              break
            }
          }
        }
      }
    })
  }
}
