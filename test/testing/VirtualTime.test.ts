import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as VirtualTime from "../../src/testing/VirtualTime.js"

const inTime = <A>(program: (time: VirtualTime.VirtualTime) => Effect.Effect<A>): Promise<Exit.Exit<A>> => {
  const time = VirtualTime.make()
  const fiber = Effect.runFork(Effect.withClock(program(time), time.clock), { scheduler: time.scheduler })
  return new Promise((resolve) => fiber.addObserver(resolve))
}

describe("VirtualTime", () => {
  it("passes at once, moment by moment, and lets promises settle in each", async () => {
    const seen: Array<readonly [string, number]> = []
    const note = (name: string) =>
      Effect.map(Clock.currentTimeMillis, (now) => seen.push([name, now - VirtualTime.beginning]))
    const exit = await inTime((time) =>
      Effect.gen(function* () {
        yield* Effect.fork(Effect.zipRight(Effect.sleep("2 seconds"), note("later")))
        yield* Effect.fork(
          Effect.sleep("1 second").pipe(
            Effect.zipRight(Effect.promise(() => Promise.resolve())),
            Effect.zipRight(note("sooner")),
            Effect.repeatN(1)
          )
        )
        yield* time.pass(1_500)
        yield* note("half")
        yield* time.pass(86_400_000)
      })
    )
    expect(Exit.isSuccess(exit)).toBe(true)
    expect(seen).toEqual([
      ["sooner", 1_000],
      ["half", 1_500],
      ["later", 2_000],
      ["sooner", 2_000]
    ])
  })

  it("lets a program that never waits go on no longer than it must", async () => {
    const exit = await inTime((time) => Effect.zipRight(Effect.fork(Effect.forever(Effect.yieldNow())), time.settle))
    expect(String(exit)).toContain(VirtualTime.spinning)
  })
})
