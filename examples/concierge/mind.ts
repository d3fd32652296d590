/** A model that can be told to make mistakes. */
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { EmbeddedRealtime } from "effect-realtime"
import type { WrongCall } from "./conversation.js"

export interface Misled {
  readonly mind: EmbeddedRealtime.Mind
  /** The calls of the next response; without any, the router thinks for itself. */
  readonly mislead: (calls: ReadonlyArray<WrongCall>) => Effect.Effect<void>
}

/** The router, except for responses that were decided beforehand. */
export const misled: Effect.Effect<Misled> = Effect.map(Ref.make<ReadonlyArray<WrongCall>>([]), (planned) => ({
  mind: {
    start: Effect.map(
      EmbeddedRealtime.router.start,
      (think) => (request) =>
        Stream.unwrap(
          Effect.map(Ref.getAndSet(planned, []), (calls) =>
            calls.length === 0
              ? think(request)
              : Stream.fromIterable(calls.map((call) => EmbeddedRealtime.call(call.name, call.arguments)))
          )
        )
    )
  },
  mislead: (calls) => Ref.set(planned, calls)
}))
