import * as Effect from "effect/Effect"

/** What has arrived and is not handled yet. Beyond its bound, who brings more waits: then the provider holds the server back. */
export interface Backlog {
  readonly arrived: (count: number) => Effect.Effect<void>
  readonly handled: (count: number) => void
}

export const make = (bound: number): Backlog => {
  let size = 0
  let waiting: Array<() => void> = []
  return {
    arrived: (count) =>
      Effect.suspend(() => {
        size += count
        if (size <= bound) return Effect.void
        return Effect.async<void>((resume) => {
          waiting.push(() => resume(Effect.void))
        })
      }),
    handled: (count) => {
      size -= count
      if (size > bound) return
      const go = waiting
      waiting = []
      for (const resume of go) resume()
    }
  }
}
