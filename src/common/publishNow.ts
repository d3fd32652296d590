import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"

/**
 * Publishes to a sliding `PubSub` at once, from code that is not an effect: readers that are slow miss the oldest.
 * `unsafeOffer` does not slide: as soon as one reader is slow, it drops what is new, for all of them.
 */
export const publishNow = <A>(pubsub: PubSub.PubSub<A>, event: A): void => {
  Effect.runSyncExit(PubSub.publish(pubsub, event))
}
