/** How many sockets a server attends to, and the moment when there are none. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Attendance {
  readonly size: () => number
  /** Counts one more until the scope closes. */
  readonly attend: Effect.Effect<void, never, Scope.Scope>
  /** Waits until there are none. */
  readonly none: Effect.Effect<void>
}

export const make: Effect.Effect<Attendance> = Effect.gen(function* () {
  let size = 0
  const none = yield* Effect.makeLatch(true)
  const changed = (by: number) =>
    Effect.suspend(() => {
      size += by
      return size === 0 ? none.open : none.close
    })
  return {
    size: () => size,
    attend: Effect.asVoid(Effect.acquireRelease(changed(1), () => changed(-1))),
    none: none.await
  }
})
