import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { classifyClose, classifyHandshake } from "../../protocol/Severity.js"
import { type ConnectError, type Connection, ConnectionLost } from "../../RealtimeModel.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Link } from "./Link.js"

/** What the search for a connection reports; it goes through the session's mailbox like everything else. */
export type Report =
  /** The next attempt is put off. */
  | { readonly _tag: "Waiting"; readonly attempt: number; readonly delayMs: number }
  | { readonly _tag: "Opened"; readonly link: Link }
  /** No attempt is worth making any more. */
  | { readonly _tag: "GaveUp"; readonly search: number; readonly error: ConnectError | ConnectionLost }

/** Milliseconds. */
export interface Options {
  /** When to try again, and when to give up; `undefined`: a lost connection ends the session. */
  readonly schedule: Schedule.Schedule<unknown, ConnectError | ConnectionLost> | undefined
  /** The age at which a connection is replaced by another at a quiet moment; infinite: never. */
  readonly rolloverAfter: number
  /** For the server to confirm the settings on a new connection. */
  readonly restoreWithin: number
}

export interface Environment {
  /** One that never goes back: a schedule is over when its time is. */
  readonly clock: Clock.Clock
  /** The connection that the session begins with. */
  readonly first: Link
  /** What can not begin is not worth another attempt. */
  readonly hasBegun: () => boolean
  /** Opens one more connection; its frames come through the mailbox under its own number. */
  readonly open: (epoch: number) => Effect.Effect<Link, ConnectError>
  readonly run: (effect: Effect.Effect<unknown>) => void
  readonly publish: (event: SessionEvent<never>) => void
  /** `false`: nobody hears of it any more. */
  readonly report: (report: Report) => boolean
  /** This connection carries the session from now on; settings and conversation are to be brought there. */
  readonly restore: (link: Link) => void
  /** Nothing can be sent, and what was under way on this connection has ended with it. */
  readonly disconnected: (epoch: number) => void
  readonly end: (error: ConnectError | ConnectionLost) => void
  /** This connection will be replaced in a quiet moment. */
  readonly prepareMove: () => void
  /** It was, and nothing was lost. */
  readonly moved: () => void
  /** Nothing is under way that would suffer from a change of the connection. */
  readonly isQuiet: () => boolean
}

/**
 * The connections of a session, one after the other: what is lost is looked for again, and what grows old is replaced
 * by a fresh one while nobody speaks. There is one at a time; each has a number, its epoch, that is never used again.
 */
export interface Reconnection {
  readonly epoch: () => number
  /** What carries the session now, if anything. */
  readonly connection: () => Connection | undefined
  /** Whether what comes on this connection still counts: it is not lost, and no other has taken its place. */
  readonly isCurrent: (epoch: number) => boolean
  readonly lost: (epoch: number, error: ConnectionLost) => void
  readonly reported: (report: Report) => void
  /** The server has the settings again, and is being told the conversation. */
  readonly restored: () => void
  /** Called after each input: the moment may be quiet. */
  readonly settled: () => void
  readonly timePassed: () => void
  readonly deadline: () => number | undefined
  readonly close: () => Effect.Effect<void>
}

type State =
  | { readonly _tag: "Online"; readonly link: Link; readonly since: number; rolloverAt: number }
  /** There is a connection, and the server is being brought where the last one was. */
  | { readonly _tag: "Restoring"; readonly link: Link; readonly until: number }
  | { readonly _tag: "Seeking" }

/** The connection that is to replace one that is still good. */
type Successor =
  | { readonly _tag: "None" }
  | { readonly _tag: "Seeking" }
  | { readonly _tag: "Ready"; readonly link: Link }

/** A connection that lived so long was a good one: after its loss the attempts are counted anew. Milliseconds. */
const stableAfter = 10_000

/** Milliseconds after which a successor is looked for again. */
const rolloverAgainAfter = 60_000

/** A server that refuses is left alone as long as it says, but not for longer. Milliseconds. */
const maxRetryAfter = 60_000

/** What the server asks for, on top of the schedule's own delay: not all sessions come back in the same moment. */
const leftAloneFor = (error: ConnectError | ConnectionLost): number =>
  error._tag === "HandshakeRefused" ? Math.min(error.retryAfterMs ?? 0, maxRetryAfter) : 0

/** Whether another attempt may end otherwise. */
const isTransient = (error: ConnectError): boolean =>
  error._tag !== "HandshakeRefused" || classifyHandshake(error.status, error.body) === "transient"

const broken = new ConnectionLost({ code: 1006, reason: "", message: "The provider failed for an internal reason." })

const notRestored = (afterMs: number): ConnectionLost =>
  new ConnectionLost({
    code: 1006,
    reason: "",
    message: `A new connection was open, and the server did not confirm the settings on it within ${afterMs / 1000} seconds.`
  })

export const make = (options: Options, env: Environment): Effect.Effect<Reconnection> =>
  Effect.gen(function* () {
    const { schedule } = options
    const now = () => env.clock.unsafeCurrentTimeMillis()
    let attempt = 0
    let retryAfter = 0
    const driver = yield* Schedule.driver(
      Schedule.modifyDelay(schedule ?? Schedule.stop, (_, delay) => {
        attempt += 1
        const delayMs = Math.ceil(Duration.toMillis(delay)) + retryAfter
        env.report({ _tag: "Waiting", attempt, delayMs })
        return Duration.millis(delayMs)
      })
    )
    const online = (link: Link): State => {
      const since = now()
      return { _tag: "Online", link, since, rolloverAt: since + options.rolloverAfter }
    }
    let state: State = online(env.first)
    let successor: Successor = { _tag: "None" }
    let lastEpoch = env.first.epoch
    let lastSearch = 0
    let search: Fiber.RuntimeFiber<void> | undefined

    const seek = (why: ConnectionLost | undefined, number: number): Effect.Effect<void> =>
      Effect.gen(function* () {
        let error: ConnectError | ConnectionLost | undefined = why
        for (;;) {
          if (error !== undefined) {
            retryAfter = leftAloneFor(error)
            const next = yield* Effect.either(Effect.withClock(driver.next(error), env.clock))
            if (next._tag === "Left") {
              env.report({ _tag: "GaveUp", search: number, error })
              return
            }
          }
          lastEpoch += 1
          // A search that is stopped leaves no connection behind that nobody knows of.
          const opened = yield* Effect.uninterruptible(
            Effect.tap(Effect.either(env.open(lastEpoch)), (opened) =>
              opened._tag === "Left" || env.report({ _tag: "Opened", link: opened.right })
                ? Effect.void
                : opened.right.close
            )
          )
          if (opened._tag === "Right") return
          error = opened.left
          if (!isTransient(error)) {
            env.report({ _tag: "GaveUp", search: number, error })
            return
          }
        }
      }).pipe(
        // A provider that breaks is one that can not connect.
        Effect.catchAllDefect(() =>
          Effect.sync(() => {
            env.report({ _tag: "GaveUp", search: number, error: why ?? broken })
          })
        )
      )

    const startSearch = (why: ConnectionLost | undefined, mayStartAnew: boolean): void =>
      env.run(
        Effect.gen(function* () {
          if (mayStartAnew) {
            attempt = 0
            yield* driver.reset
          }
          lastSearch += 1
          search = yield* Effect.forkDaemon(Effect.interruptible(seek(why, lastSearch)))
        })
      )

    const stopSearch = Effect.suspend(() => {
      const before = search
      search = undefined
      return before === undefined ? Effect.void : Fiber.interrupt(before)
    })

    const carryOver = (link: Link): void => {
      state = { _tag: "Restoring", link, until: now() + options.restoreWithin }
      env.restore(link)
    }

    /** The old one is good still, and there is time for another try. */
    const putOffRollover = (): void => {
      if (state._tag === "Online") state.rolloverAt = now() + rolloverAgainAfter
    }

    const lost = (epoch: number, error: ConnectionLost): void => {
      if (successor._tag === "Ready" && successor.link.epoch === epoch) {
        env.run(Effect.forkDaemon(successor.link.close))
        successor = { _tag: "None" }
        putOffRollover()
        return
      }
      if (state._tag === "Seeking" || state.link.epoch !== epoch) return
      const { link } = state
      const wasStable = state._tag === "Online" && now() - state.since >= stableAfter
      env.run(Effect.forkDaemon(link.close))
      const willReconnect =
        schedule !== undefined && env.hasBegun() && classifyClose(error.code, error.reason) === "transient"
      env.publish({ _tag: "ConnectionLost", code: error.code, message: error.message, willReconnect })
      if (!willReconnect) {
        env.end(error)
        return
      }
      env.disconnected(epoch)
      if (successor._tag === "Ready") {
        const { link } = successor
        successor = { _tag: "None" }
        carryOver(link)
        return
      }
      state = { _tag: "Seeking" }
      const isSearching = successor._tag === "Seeking"
      successor = { _tag: "None" }
      // A search for the successor that is at its first try is one for this connection now; one that has failed before
      // has used up tries that are meant for a loss.
      if (isSearching && attempt === 0) return
      if (isSearching && search !== undefined) env.run(Fiber.interruptFork(search))
      startSearch(error, wasStable || isSearching)
    }

    return {
      epoch: () => (state._tag === "Seeking" ? lastEpoch : state.link.epoch),
      connection: () => (state._tag === "Online" ? state.link.connection : undefined),
      isCurrent: (epoch) => state._tag !== "Seeking" && state.link.epoch === epoch,
      lost,
      reported: (report) => {
        switch (report._tag) {
          case "Waiting":
            env.publish({ _tag: "Reconnecting", attempt: report.attempt, delayMs: report.delayMs })
            break
          case "Opened":
            if (state._tag === "Seeking") carryOver(report.link)
            else if (successor._tag === "Seeking") {
              successor = { _tag: "Ready", link: report.link }
              env.prepareMove()
            } else env.run(Effect.forkDaemon(report.link.close))
            break
          case "GaveUp":
            if (report.search !== lastSearch) break
            if (state._tag === "Seeking") env.end(report.error)
            else putOffRollover()
            successor = { _tag: "None" }
            break
        }
      },
      restored: () => {
        if (state._tag === "Restoring") state = online(state.link)
      },
      settled: () => {
        if (state._tag !== "Online" || successor._tag !== "Ready" || !env.isQuiet()) return
        const { link } = state
        const next = successor.link
        successor = { _tag: "None" }
        env.disconnected(link.epoch)
        env.moved()
        env.run(Effect.forkDaemon(link.close))
        carryOver(next)
      },
      timePassed: () => {
        if (state._tag === "Restoring" && state.until <= now()) {
          lost(state.link.epoch, notRestored(options.restoreWithin))
        } else if (state._tag === "Online" && successor._tag === "None" && state.rolloverAt <= now()) {
          successor = { _tag: "Seeking" }
          startSearch(undefined, true)
        }
      },
      deadline: () => {
        if (state._tag === "Restoring") return state.until
        if (state._tag === "Seeking" || successor._tag !== "None") return undefined
        return Number.isFinite(state.rolloverAt) ? state.rolloverAt : undefined
      },
      close: () =>
        Effect.suspend(() => {
          const links = [state._tag === "Seeking" ? [] : state.link, successor._tag === "Ready" ? successor.link : []]
          return Effect.zipRight(
            stopSearch,
            Effect.forEach(links.flat(), ({ close }) => close, { concurrency: "unbounded", discard: true })
          )
        })
    }
  })
