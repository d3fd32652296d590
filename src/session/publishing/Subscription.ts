import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import type { Snapshot } from "../../event/LifecycleEvents.js"
import * as Rule from "../../options/Rule.js"
import * as rules from "../../options/rules.js"
import { SubscriberLagged } from "../../SessionError.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Asking } from "../Asking.js"
import type { OnLag, Subscribers } from "./Subscribers.js"

/**
 * How much a subscriber may be behind, and what becomes of it then. The session never waits for it.
 *
 * - `"skip"` (default): beyond its buffer, events are dropped for it, and `EventsMissed` says how many.
 * - `"snapshot"`: that event also has where the session is; the next event is the first one after that.
 * - `"fail"`: the stream ends with `SubscriberLagged`, behind what the buffer holds.
 *
 * @since 0.1.0
 * @category options
 */
export interface SubscribeOptions<Lag extends "skip" | "snapshot" | "fail" = "skip" | "snapshot" | "fail"> {
  /** How many events it may be behind: 1 or more, or the stream dies with `OptionsInvalid`. Default: `subscriberCapacity` of the session's options. */
  readonly capacity?: number
  readonly onLag?: Lag
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Subscribe<out E> {
  (options: SubscribeOptions<"fail"> & { readonly onLag: "fail" }): Stream.Stream<SessionEvent<E>, SubscriberLagged>
  (options?: SubscribeOptions<"skip" | "snapshot">): Stream.Stream<SessionEvent<E>>
}

export interface Environment<E> {
  readonly events: Subscribers<SessionEvent<E>>["subscribe"]
  readonly capacity: number
  readonly ask: Asking["ask"]
  /** Called in the loop, where everything that happened before has been published. */
  readonly snapshot: () => Snapshot
}

export const eventsMissed = (count: number) => [{ _tag: "EventsMissed", count } as const]

export const make = <E>({ ask, capacity, events, snapshot }: Environment<E>): Subscribe<E> => {
  const missed = (take: () => number): SessionEvent<E> => ({
    _tag: "EventsMissed",
    count: take(),
    snapshot: snapshot()
  })
  const skip: OnLag<SessionEvent<E>, never> = { _tag: "Tell", missed: eventsMissed }
  const fail: OnLag<SessionEvent<E>, SubscriberLagged> = {
    _tag: "Fail",
    error: (missed) => new SubscriberLagged({ missed })
  }
  const catchUp: OnLag<SessionEvent<E>, never> = {
    _tag: "CatchUp",
    // Once the session has ended, nothing moves any more.
    missed: (take) =>
      Effect.catchAll(
        ask<SessionEvent<E>, never>((reply) => reply(Exit.succeed(missed(take)))),
        () => Effect.sync(() => missed(take))
      )
  }

  function subscribe(options: SubscribeOptions<"fail">): Stream.Stream<SessionEvent<E>, SubscriberLagged>
  function subscribe(options?: SubscribeOptions<"skip" | "snapshot">): Stream.Stream<SessionEvent<E>>
  function subscribe(options: SubscribeOptions = {}): Stream.Stream<SessionEvent<E>, SubscriberLagged> {
    const checked = Rule.validate("session.subscribe", rules.subscribe, options)
    if (Either.isLeft(checked)) return Stream.die(checked.left)
    const onLag = options.onLag === "fail" ? fail : options.onLag === "snapshot" ? catchUp : skip
    return events(options.capacity ?? capacity, onLag)
  }
  return subscribe
}
