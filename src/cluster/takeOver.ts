/** Resumes a call that another node had. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { tell } from "../common/tell.js"
import * as Session from "../Session.js"
import { CallEnded, CallUnreachable } from "./ClusterError.js"
import type { CallRow, CallState } from "./directory.js"
import type { Live, Taking } from "./Held.js"
import type { Host } from "./Host.js"
import * as instruments from "./instruments.js"
import type { ResumeError } from "./options.js"

type Failure = CallEnded | CallUnreachable

/** Between two tries of what fails for now. */
const pause = "200 millis"

/** What another try may change. The rest is the same for every node, however often it is tried. */
const isForNow = (error: { readonly _tag: string }): boolean =>
  [
    "ConnectFailed",
    "ConnectTimedOut",
    "ConnectionLost",
    "ApiKeyUnavailable",
    "SettingsTimedOut",
    "ServerFailed",
    "OutboundOverflow",
    "JournalBusy",
    "JournalFailed",
    "HandshakeRefused"
  ].includes(error._tag)

/**
 * The directory says that this node has the call, in the state `taking`. Gives the running call, or why it does not run.
 *
 * @param before its state at the node that died; absent if it was given away
 */
export const takeOver = <E, R>(host: Host<E, R>, row: CallRow, before?: CallState): Effect.Effect<Live<E>, Failure> =>
  Effect.gen(function* () {
    const done = yield* Deferred.make<Live<E>, Failure>()
    const taking: Taking<E> = { _tag: "Taking", done }
    host.set(row.callId, taking)
    const taken = host.timed(instruments.takeOverDuration, resumed(host, row, before), (exit) => [
      Exit.isSuccess(exit) ? "resumed" : "failed"
    ])
    // It goes on, even if who waits for it does not.
    yield* taken.pipe(
      Effect.withSpan("effect_realtime.take_over", { root: true, attributes: spanOf(host.nodeId, row) }),
      Effect.onExit((exit) =>
        Effect.suspend(() => {
          if (Exit.isFailure(exit)) host.remove(row.callId, taking)
          return Deferred.done(done, exit)
        })
      ),
      Effect.interruptible,
      Effect.forkIn(host.its.scope)
    )
    return yield* Deferred.await(done)
  })

const spanOf = (nodeId: string, { callId, epoch }: CallRow) => ({
  "effect_realtime.cluster.call": callId,
  "effect_realtime.cluster.epoch": epoch,
  "effect_realtime.cluster.node": nodeId
})

/** The call is over, and the application hears why. */
const lost = <E, R>(host: Host<E, R>, row: CallRow, cause: Cause.Cause<ResumeError>): Effect.Effect<never, CallEnded> =>
  Effect.suspend(() => {
    const { directory, options } = host.its
    const { callId } = row
    const listener = (why: typeof cause) => options.onNotResumed?.(callId, why)
    tell(listener, cause, () => undefined)
    // What died may say a secret of the application's.
    const words = Option.match(Cause.failureOption(cause), {
      onNone: () => "Something died: `onNotResumed` gets the cause.",
      onSome: ({ message }) => message
    })
    return Effect.logError(`A call could not be resumed. ${words}`).pipe(
      Effect.annotateLogs({ callId, nodeId: host.nodeId }),
      Effect.zipRight(Effect.ignore(directory.change(row, "failed"))),
      Effect.zipRight(new CallEnded({ callId, state: "failed" }))
    )
  })

const resumed = <E, R>(
  host: Host<E, R>,
  row: CallRow,
  before: CallState | undefined
): Effect.Effect<Live<E>, Failure> =>
  Effect.gen(function* () {
    const { agent, directory, journals, options } = host.its
    const { callId, sessionId } = row
    const unreachable = (reason: string) => new CallUnreachable({ callId, afterMs: 0, reason })

    // Its node died between the end of the call and the word of it.
    const hasEnded =
      before === "live" &&
      (yield* Effect.orElseSucceed(journals.read(sessionId), () => [])).at(-1)?._tag === "SessionEnded"
    if (hasEnded) {
      yield* Effect.ignore(directory.change(row, "ended"))
      return yield* new CallEnded({ callId, state: "ended" })
    }

    const opened = yield* host
      .open((given) => Session.resume(agent, sessionId, given))
      .pipe(
        Effect.retry({
          while: isForNow,
          schedule: Schedule.exponential(pause, 1.5).pipe(
            Schedule.union(Schedule.spaced("5 seconds")),
            Schedule.upTo(options.takeOverWithinMs)
          )
        }),
        // A defect is the same for every node, too.
        Effect.catchAllCause((cause) => (Cause.isInterruptedOnly(cause) ? Effect.interrupt : lost(host, row, cause)))
      )

    const isKept = yield* host.ask(directory.change(row, "live")).pipe(
      Effect.retry(Schedule.spaced(pause)),
      Effect.orElseSucceed(() => false),
      Effect.onInterrupt(() => host.close(opened))
    )
    if (!isKept) {
      yield* host.close(opened)
      return yield* unreachable("Another node has taken it meanwhile.")
    }
    return yield* host.begin({ ...row, state: "live" }, opened)
  })
