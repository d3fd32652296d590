import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Connection } from "../../RealtimeModel.js"
import type { SessionError } from "../../SessionError.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { ToolError } from "../../ToolError.js"
import type { Parts } from "../Parts.js"

type Action<R> =
  | {
      readonly _tag: "Send"
      readonly event: ClientEvent
      readonly on: Connection | undefined
      readonly handed: ((ok: boolean) => void) | undefined
    }
  | { readonly _tag: "Run"; readonly effect: Effect.Effect<unknown, never, R> }
  | { readonly _tag: "Do"; readonly act: () => void }

/**
 * The commands of the session's parts, in order. The parts are synchronous, so nothing can happen between two of their
 * steps. The loop carries out the commands after each input.
 */
export class Outbox<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  #actions: Array<Action<R>> = []
  #ended: Exit.Exit<void, SessionError | ToolError<E>> | undefined

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  /** `handed` is told whether the event was handed to an open connection, or is kept for the next one. */
  send(event: ClientEvent, handed?: (ok: boolean) => void): void {
    this.#session.continuity.sent(event)
    this.#actions.push({ _tag: "Send", event, on: undefined, handed })
  }

  /** Sends on this connection, even before it carries the session. */
  sendOn(on: Connection, event: ClientEvent): void {
    this.#actions.push({ _tag: "Send", event, on, handed: undefined })
  }

  publish(event: SessionEvent<E>): void {
    this.#actions.push({ _tag: "Do", act: () => this.#session.publisher.publish(event) })
  }

  /** Runs an effect that does not wait, such as forking a call or writing a log line. */
  run(effect: Effect.Effect<unknown, never, R>): void {
    this.#actions.push({ _tag: "Run", effect })
  }

  /** Called when all earlier commands are done. */
  afterwards(act: () => void): void {
    this.#actions.push({ _tag: "Do", act })
  }

  end(exit: Exit.Exit<void, SessionError | ToolError<E>>): void {
    this.#actions.push({
      _tag: "Do",
      act: () => {
        this.#ended ??= exit
      }
    })
  }

  /** How the session ended, if it has. */
  get ended(): Exit.Exit<void, SessionError | ToolError<E>> | undefined {
    return this.#ended
  }

  isEmpty(): boolean {
    return this.#actions.length === 0
  }

  /**
   * Carries out the commands, and those that they cause. Nothing is sent once the session has ended. What one command
   * throws is published, and costs no other command: not the outputs, events and ends that wait behind it.
   */
  flush(): Effect.Effect<void, never, R> {
    const outbox = this
    return Effect.gen(function* () {
      while (outbox.#actions.length > 0) {
        const batch = outbox.#actions
        outbox.#actions = []
        for (const action of batch) {
          switch (action._tag) {
            case "Do":
              outbox.#attempt("Do", action.act)
              break
            case "Run":
              if (outbox.#ended === undefined) {
                yield* Effect.catchAllDefect(action.effect, (defect) =>
                  Effect.sync(() => outbox.#failed("Run", defect))
                )
              }
              break
            case "Send": {
              const ok = outbox.#ended === undefined && (yield* outbox.#handOverOrKeep(action.event, action.on))
              const { event, handed } = action
              if (handed !== undefined) outbox.#attempt(event.type, () => handed(ok))
              break
            }
          }
        }
      }
    })
  }

  #handOverOrKeep(event: ClientEvent, on: Connection | undefined): Effect.Effect<boolean> {
    const { connections, continuity } = this.#session
    const connection = on ?? connections.current
    if (connection === undefined) return Effect.sync(() => continuity.keep(event))
    return connection.send(event).pipe(
      Effect.as(true),
      Effect.catchAllDefect(() => Effect.sync(() => this.#unsendable(event))),
      // The connection's own end tells the session why. Here, all that matters is whether the event was sent.
      Effect.catchAll(() => Effect.sync(() => continuity.keep(event)))
    )
  }

  #attempt(input: string, act: () => void): void {
    try {
      act()
    } catch (thrown) {
      this.#failed(input, thrown)
    }
  }

  /** Where not even this can be published, the session ends with what is thrown. */
  #failed(input: string, thrown: unknown): void {
    const message = `A step of the session failed (${input}), and the session went on. What was thrown is in \`reason\`.`
    this.#session.publisher.publish({ _tag: "InputFailed", input, message, reason: Redacted.make(thrown) })
  }

  /** An event that cannot be written as JSON is dropped, and nothing else is affected. */
  #unsendable({ event_id, type }: ClientEvent): false {
    this.#session.edits.refused(event_id)
    const message = `The ${type} event is not JSON: it was not sent.`
    this.#session.publisher.publish({ _tag: "InputFailed", input: type, message })
    return false
  }
}
