/** What happens to the calls of a node that stops. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { version } from "./Command.js"
import type { Live } from "./Held.js"
import type { Host } from "./Host.js"
import { handOver, untilQuiet } from "./handOver.js"
import * as instruments from "./instruments.js"
import type { Draining } from "./options.js"

/** How many calls are closed at a time. */
export const maxClosing = 8

/** How often the node looks whether calls are left that began or were being resumed when the drain began. */
const pause = "100 millis"

/** Gives each call to the node that has the fewest, counting those that it was just given. */
const receivers = <E, R>(host: Host<E, R>): Effect.Effect<string | undefined> => {
  const given = new Map<string, number>()
  return Effect.gen(function* () {
    const nodes = yield* Effect.orElseSucceed(host.ask(host.its.directory.nodes), () => [])
    const [best] = nodes
      .filter((node) => node.isAlive && node.accepting && node.nodeId !== host.nodeId && node.version >= version)
      .map(({ calls, nodeId }) => ({ nodeId, calls: calls + (given.get(nodeId) ?? 0) }))
      .sort((one, other) => one.calls - other.calls)
    if (best !== undefined) given.set(best.nodeId, (given.get(best.nodeId) ?? 0) + 1)
    return best?.nodeId
  })
}

/**
 * Takes no more calls, and gives away or waits for those that there are. Returns when none is left. Calls that no other
 * node can take are closed, and go on at the first node that can.
 */
export const drain = <E, R>(host: Host<E, R>, { mode, toolsWithinMs, withinMs }: Draining): Effect.Effect<void> =>
  Effect.suspend(() => {
    host.drains()
    const until = host.now() + withinMs
    const left = () => Math.max(0, until - host.now())
    const receiver = receivers(host)
    const live = (): ReadonlyArray<Live<E>> =>
      [...host.calls.values()].flatMap((held) => (held._tag === "Live" ? held : []))

    const leaves = (call: Live<E>) => {
      const waiting =
        mode === "wait"
          ? Effect.asVoid(
              Effect.timeoutOption(Effect.interruptible(Effect.ignore(call.session.await)), Duration.millis(left()))
            )
          : untilQuiet(call, Math.min(toolsWithinMs, left()))
      return Effect.zipRight(
        waiting,
        Effect.suspend(() => handOver(host, call, receiver))
      )
    }
    const round: Effect.Effect<void> = Effect.suspend(() =>
      host.calls.size === 0
        ? Effect.void
        : Effect.forEach(live(), leaves, { concurrency: mode === "wait" ? "unbounded" : maxClosing, discard: true })
    )
    const all: Effect.Effect<void> = Effect.zipRight(
      round,
      Effect.suspend(() => (host.calls.size === 0 || left() === 0 ? Effect.void : Effect.delay(all, pause)))
    )
    // Other nodes learn at once that this one takes no calls.
    const told = Effect.ignore(host.ask(host.its.directory.renew(host.state(), host.its.options.leaseMs)))
    return host.timed(instruments.drainDuration, Effect.zipRight(told, all))
  })
