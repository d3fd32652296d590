/** How a call ends: by its caller, its agent or its application. */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { quietlyWithin } from "../common/quietly.js"
import type { TransferFailed } from "./StreamError.js"

/** What the agent wants to happen to the call, after its goodbye. */
export type Departure = { readonly _tag: "HangUp" } | { readonly _tag: "Transfer"; readonly destination: string }

/**
 * How a call ended. `CallerHungUp`: the vendor said that the stream is over. `StreamLost`: its socket closed without a
 * word, or broke the protocol. `AgentHungUp`, `Transferred`: the agent ended it. `Closed`: the application did.
 *
 * @since 0.1.0
 * @category models
 */
export type Ending =
  | { readonly _tag: "CallerHungUp" | "StreamLost" | "AgentHungUp" | "Closed" }
  | { readonly _tag: "Transferred"; readonly destination: string }

export interface Options {
  /** Connects the caller to a destination. Without it, every transfer fails. */
  readonly transfer: ((destination: string) => Effect.Effect<void, TransferFailed>) | undefined
  readonly transferWithin: Duration.DurationInput
  /** The transfer failed, and the caller stays. */
  readonly stays: (destination: string, message: string) => Effect.Effect<void>
}

export interface Departures {
  /** Does what the agent wants, and does not wait for it: audio goes on meanwhile, in both directions. */
  readonly depart: (departure: Departure) => Effect.Effect<void>
  /** The call ends like this. Only the first counts. */
  readonly end: (how: Ending) => void
  /** Waits for `end`, or for a departure. */
  readonly ending: Effect.Effect<Ending>
  /** Nobody departs any more. */
  readonly close: () => void
  /**
   * Waits for a departure in progress: a vendor may end the stream of a call that it transfers before it says that it
   * has.
   *
   * @param how if nothing else has ended the call
   */
  readonly settled: (how: Ending) => Effect.Effect<Ending>
}

export const make = ({ stays, transfer, transferWithin }: Options): Effect.Effect<Departures, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const ending = yield* Deferred.make<Ending>()
    // One at a time: the vendor may have taken the call for the one before.
    const turn = (yield* Effect.makeSemaphore(1)).withPermits(1)
    let isOver = false

    const end = (how: Ending): void => {
      isOver = true
      Deferred.unsafeDone(ending, Exit.succeed(how))
    }
    const transferTo = (destination: string): Effect.Effect<void> => {
      if (transfer === undefined) return stays(destination, "This call has no option `transfer`.")
      return quietlyWithin(
        Effect.suspend(() => transfer(destination)),
        {
          duration: transferWithin,
          onTimeout: () => ({ message: "The option `transfer` took longer than `transferWithin`." })
        }
      ).pipe(
        Effect.catchAllDefect(() => Effect.fail({ message: "The option `transfer` died." })),
        Effect.matchEffect({
          onSuccess: () => Effect.sync(() => end({ _tag: "Transferred", destination })),
          onFailure: ({ message }) => stays(destination, message)
        })
      )
    }
    return {
      end,
      ending: Deferred.await(ending),
      close: () => {
        isOver = true
      },
      settled: (how) =>
        turn(
          Effect.flatMap(
            Deferred.poll(ending),
            Option.getOrElse(() => Effect.succeed(how))
          )
        ),
      depart: (departure) =>
        Effect.suspend(() => {
          if (isOver) return Effect.void
          return departure._tag === "HangUp"
            ? Effect.sync(() => end({ _tag: "AgentHungUp" }))
            : transferTo(departure.destination)
        }).pipe(turn, Effect.forkIn(scope), Effect.asVoid)
    }
  })
