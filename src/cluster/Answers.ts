import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { forgetOldest } from "../common/forgetOldest.js"
import type { Refusal, Reply } from "./Command.js"

/** How many answers of a call are remembered: a client sends its command again within seconds. */
export const maxRemembered = 256

/** Carries out each command of a call once: one that comes again gets the answer of the first. */
export class Answers {
  readonly #answers = new Map<string, Deferred.Deferred<Reply, Refusal>>()

  /** @param scope what was begun goes on in it, even if nobody waits for the answer any more */
  once(commandId: string, command: Effect.Effect<Reply, Refusal>, scope: Scope.Scope): Effect.Effect<Reply, Refusal> {
    return Effect.suspend(() => {
      const known = this.#answers.get(commandId)
      if (known !== undefined) return Deferred.await(known)
      return Effect.flatMap(Deferred.make<Reply, Refusal>(), (answer) => {
        this.#answers.set(commandId, answer)
        forgetOldest(this.#answers, maxRemembered)
        return Effect.zipRight(
          Effect.forkIn(Effect.interruptible(Effect.intoDeferred(command, answer)), scope),
          Deferred.await(answer)
        )
      })
    })
  }
}
