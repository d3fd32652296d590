import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Rule from "../../options/Rule.js"
import * as rules from "../../options/rules.js"
import { SubscriberLagged } from "../../SessionError.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Parts } from "../Parts.js"
import type { OnLag } from "./Subscribers.js"

/**
 * How far a subscriber may be behind, and what happens then. The session never waits for it.
 *
 * - `"skip"` (default): when its buffer is full, it loses events, and `EventsMissed` says how many.
 * - `"snapshot"`: like `"skip"`, but `EventsMissed` also has a snapshot of the session. The next event is the first one
 *   after it.
 * - `"fail"`: the stream fails with `SubscriberLagged`, after the events in the buffer.
 *
 * @since 0.1.0
 * @category options
 */
export interface SubscribeOptions<Lag extends "skip" | "snapshot" | "fail" = "skip" | "snapshot" | "fail"> {
  /**
   * How many events it may be behind: 1 or more, otherwise the stream dies with `OptionsInvalid`. Default: the
   * session's `subscriberCapacity`.
   */
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

/**
 * @since 0.1.0
 * @category models
 */
export interface SubscribeScoped<out E> {
  (
    options: SubscribeOptions<"fail"> & { readonly onLag: "fail" }
  ): Effect.Effect<Stream.Stream<SessionEvent<E>, SubscriberLagged>, never, Scope.Scope>
  (options?: SubscribeOptions<"skip" | "snapshot">): Effect.Effect<Stream.Stream<SessionEvent<E>>, never, Scope.Scope>
}

export const eventsMissed = (count: number) => [{ _tag: "EventsMissed", count } as const]

const skip: OnLag<SessionEvent<never>, never> = { _tag: "Tell", missed: eventsMissed }

const fail: OnLag<never, SubscriberLagged> = { _tag: "Fail", error: (missed) => new SubscriberLagged({ missed }) }

/** The event has a snapshot of the session, taken at a moment at which everything before was published. */
const catchUp = (session: Parts): OnLag<SessionEvent<never>, never> => {
  const missed = (take: () => number): SessionEvent<never> => ({
    _tag: "EventsMissed",
    count: take(),
    snapshot: {
      agent: session.agent,
      conversation: session.conversation.snapshot(),
      pendingApprovals: session.approvals.pending()
    }
  })
  return {
    _tag: "CatchUp",
    // Once the session has ended, nothing changes any more.
    missed: (take) =>
      Effect.catchAll(
        session.asking.ask<SessionEvent<never>, never>((reply) => reply(Exit.succeed(missed(take)))),
        () => Effect.sync(() => missed(take))
      )
  }
}

export const make = <E>(session: Parts<E>) => {
  const { publisher } = session
  const resolved = (of: string, options: SubscribeOptions) =>
    Either.map(Rule.validate(of, rules.subscribe, options), () => ({
      capacity: options.capacity ?? session.options.subscriberCapacity,
      onLag: options.onLag === "fail" ? fail : options.onLag === "snapshot" ? catchUp(session) : skip
    }))

  function subscribe(options: SubscribeOptions<"fail">): Stream.Stream<SessionEvent<E>, SubscriberLagged>
  function subscribe(options?: SubscribeOptions<"skip" | "snapshot">): Stream.Stream<SessionEvent<E>>
  function subscribe(options: SubscribeOptions = {}): Stream.Stream<SessionEvent<E>, SubscriberLagged> {
    return Either.match(resolved("session.subscribe", options), {
      onLeft: (invalid) => Stream.die(invalid),
      onRight: ({ capacity, onLag }) => publisher.events.subscribe<SubscriberLagged>(capacity, onLag)
    })
  }

  type Scoped<Err> = Effect.Effect<Stream.Stream<SessionEvent<E>, Err>, never, Scope.Scope>
  function subscribeScoped(options: SubscribeOptions<"fail">): Scoped<SubscriberLagged>
  function subscribeScoped(options?: SubscribeOptions<"skip" | "snapshot">): Scoped<never>
  function subscribeScoped(options: SubscribeOptions = {}): Scoped<SubscriberLagged> {
    return Either.match(resolved("session.subscribeScoped", options), {
      onLeft: (invalid) => Effect.die(invalid),
      onRight: ({ capacity, onLag }) => publisher.events.subscribeScoped<SubscriberLagged>(capacity, onLag)
    })
  }

  return { subscribe, subscribeScoped }
}
