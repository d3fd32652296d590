/** Closes a call here, so that another node can go on with it. */

import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Live } from "./Held.js"
import type { Host } from "./Host.js"
import * as instruments from "./instruments.js"

/**
 * Waits until no tool is at work in the call, so that none is cut off. Calls that wait for approval do not count: they
 * wait again at the next node.
 */
export const untilQuiet = <E>({ session }: Live<E>, withinMs: number): Effect.Effect<void> =>
  session.openCalls.changes.pipe(
    Stream.takeUntil((calls) => calls.every(({ state }) => state === "AwaitingApproval")),
    Stream.runDrain,
    // Where a scope closes, nothing is interruptible by itself.
    Effect.interruptible,
    Effect.timeoutOption(Duration.millis(withinMs)),
    Effect.asVoid
  )

/**
 * Gives a call away. Without a receiver, its row stays with this node in the state `moving`, and the call goes on where
 * the lease of this node ends.
 *
 * @param receiver chosen when the call is closed
 */
export const handOver = <E, R>(
  host: Host<E, R>,
  live: Live<E>,
  receiver: Effect.Effect<string | undefined>
): Effect.Effect<void> => {
  const { directory } = host.its
  const { callId } = live.row
  const leaving = { _tag: "Leaving" } as const
  const given = Effect.gen(function* () {
    // The end of a session takes a moment, and a call that is over goes on nowhere.
    if (host.live(callId) !== live || live.listening.isOver()) return "gone" as const
    // From now on, its end is not the end of the call.
    host.set(callId, leaving)
    host.moved(callId)
    // If the directory does not answer, the lease of this node decides.
    const isOurs = yield* Effect.orElseSucceed(host.ask(directory.change(live.row, "moving")), () => true)
    if (live.listening.isOver()) {
      yield* host.stays(live)
      return "gone" as const
    }
    yield* host.close(live)
    if (!isOurs) return "taken" as const
    const toNodeId = yield* receiver
    if (toNodeId === undefined) return "kept" as const
    const isGiven = yield* host.ask(directory.give(live.row, toNodeId)).pipe(
      Effect.retry(Schedule.spaced("200 millis").pipe(Schedule.upTo(host.its.options.leaseMs))),
      Effect.orElseSucceed(() => false)
    )
    return isGiven ? ("given" as const) : ("kept" as const)
  })
  return host
    .timed(instruments.handOverDuration, given, (exit) => [Exit.isSuccess(exit) ? exit.value : "failed"])
    .pipe(
      Effect.withSpan("effect_realtime.hand_over", {
        attributes: { "effect_realtime.cluster.call": callId, "effect_realtime.cluster.node": host.nodeId }
      }),
      Effect.ensuring(Effect.sync(() => host.remove(callId, leaving))),
      Effect.uninterruptible,
      Effect.asVoid
    )
}
