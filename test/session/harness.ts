import { expect } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Agent from "../../src/Agent.js"
import type * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import { type Connection, type Frame, RealtimeModel, type Traits } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import type { SessionError } from "../../src/SessionError.js"
import type { SessionEvent } from "../../src/SessionEvent.js"

type Tag = SessionEvent["_tag"]
type Of<E, T extends Tag> = Extract<SessionEvent<E>, { readonly _tag: T }>

/** A session in memory whose events are recorded, and may be waited for. */
export interface Harness<E> {
  readonly session: Session.Session<E>
  readonly model: ScriptedModel.ScriptedModel
  readonly events: ReadonlyArray<SessionEvent<E>>
  readonly all: <T extends Tag>(tag: T) => ReadonlyArray<Of<E, T>>
  /** The nth event of a kind, counted from 1; waits for it. */
  readonly nth: <T extends Tag>(tag: T, n: number) => Effect.Effect<Of<E, T>>
  readonly first: <T extends Tag>(tag: T) => Effect.Effect<Of<E, T>>
  /** The client events that carry outputs, as they were on the wire. */
  readonly outputs: Effect.Effect<ReadonlyArray<ClientEvent>>
  /** The latest connection gives the session this frame. */
  readonly push: (frame: Frame) => Effect.Effect<void>
  /** How often the model was asked to speak. */
  readonly requests: Effect.Effect<number>
}

export const open = <E, R>(
  agent: Agent.Agent<E, R>,
  turns: ReadonlyArray<ScriptedModel.Turn>,
  options: Session.Options = {},
  server: Omit<EmbeddedRealtime.Options, "mind"> = {},
  traits?: Traits
): Effect.Effect<Harness<E>, SessionError, R | Scope.Scope> =>
  Effect.gen(function* () {
    const model = yield* ScriptedModel.make(turns, server)
    let latest: Connection | undefined
    const session = yield* Session.make(agent, { settings: { output_modalities: ["text"] }, ...options }).pipe(
      Effect.provideService(RealtimeModel, {
        connect: (connectOptions) =>
          Effect.map(model.model.connect(connectOptions), (connection) => {
            latest = traits === undefined ? connection : { ...connection, traits }
            return latest
          })
      })
    )
    return {
      session,
      model,
      ...(yield* recording(session)),
      push: (frame) => Effect.sync(() => latest?.frames.offer(frame)),
      outputs: Effect.map(model.sent, (sent) => sent.filter(isOutput)),
      requests: Effect.map(model.sent, (sent) => sent.filter(({ type }) => type === "response.create").length)
    }
  })

/** The events of a session, recorded from its beginning. */
export const recording = <E>(session: Session.Session<E>) =>
  Effect.gen(function* () {
    const events: Array<SessionEvent<E>> = []
    const waiting = new Set<() => void>()
    yield* session.events.pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          events.push(event)
          for (const check of waiting) check()
        })
      ),
      Effect.forkScoped
    )

    const all = <T extends Tag>(tag: T): ReadonlyArray<Of<E, T>> =>
      events.filter((event): event is Of<E, T> => event._tag === tag)
    const nth = <T extends Tag>(tag: T, n: number): Effect.Effect<Of<E, T>> =>
      Effect.gen(function* () {
        const found = yield* Deferred.make<Of<E, T>>()
        const check = (): void => {
          const event = all(tag)[n - 1]
          if (event !== undefined) Deferred.unsafeDone(found, Effect.succeed(event))
        }
        waiting.add(check)
        check()
        const event = yield* Deferred.await(found)
        waiting.delete(check)
        return event
      })

    return { events, all, nth, first: <T extends Tag>(tag: T) => nth(tag, 1) }
  })

const isOutput = (event: ClientEvent): boolean =>
  event.type === "conversation.item.create" && event.item.type === "function_call_output"

/** The exact frame that answers a call. */
export const outputFrame = (callId: string, output: unknown) => ({
  type: "conversation.item.create",
  event_id: expect.stringMatching(/^out_[0-9a-z_]{1,28}$/),
  item: { id: expect.stringMatching(/^out_[0-9a-z_]{1,28}$/), type: "function_call_output", call_id: callId, output }
})

/** The text that the model reads for a failure. */
export const errorText = (type: string, message: string, details?: unknown): string =>
  JSON.stringify({ error: { type, message, ...(details === undefined ? {} : { details }) } })
