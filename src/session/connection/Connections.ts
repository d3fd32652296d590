import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { classifyClose, classifyHandshake } from "../../protocol/Severity.js"
import { type ConnectError, type Connection, ConnectionLost } from "../../RealtimeModel.js"
import { completed, type Traits } from "../../realtimeModel/Traits.js"
import type { Parts } from "../Parts.js"
import * as Link from "./Link.js"

/** Opens a connection. `resumption`: where the connection before left off, once this one takes its place. */
export type Connect = (
  resumption: (() => string | undefined) | undefined
) => Effect.Effect<Connection, ConnectError, Scope.Scope>

/** A report of the search for a connection. It goes through the session's inbox like everything else. */
export type Report =
  /** The next attempt is delayed. */
  | { readonly _tag: "Waiting"; readonly attempt: number; readonly delayMs: number }
  | { readonly _tag: "Opened"; readonly link: Link.Link }
  /** No further attempt makes sense. */
  | { readonly _tag: "GaveUp"; readonly search: number; readonly error: ConnectError | ConnectionLost }

/** Milliseconds. */
export interface Options {
  /** When to try again, and when to give up. `undefined`: a lost connection ends the session. */
  readonly schedule: Schedule.Schedule<unknown, ConnectError | ConnectionLost> | undefined
  /** The age at which a connection is replaced by a new one, at a quiet moment. Infinite: never. */
  readonly rolloverAfter: number
  /** The time in which the server must confirm the settings on a new connection. */
  readonly restoreWithin: number
}

type State =
  | { readonly _tag: "Online"; readonly link: Link.Link; readonly since: number; rolloverAt: number }
  /** There is a connection, and the session restores its state on the server. */
  | { readonly _tag: "Restoring"; readonly link: Link.Link; readonly until: number }
  | { readonly _tag: "Seeking" }

/** The connection that will replace one that still works. */
type Successor =
  | { readonly _tag: "None" }
  | { readonly _tag: "Seeking" }
  | { readonly _tag: "Ready"; readonly link: Link.Link }

const none: Successor = { _tag: "None" }

/**
 * A connection that lasted this long was good: after its loss, the attempts are counted from zero again. Milliseconds.
 */
const stableAfter = 10_000

/** Milliseconds until the session looks for a successor again. */
const rolloverAgainAfter = 60_000

/** The session respects the delay that a refusing server asks for, up to this limit. Milliseconds. */
const maxRetryAfter = 60_000

/**
 * The delay that the server asks for, added to the schedule's delay, so that not all sessions come back at the same
 * moment.
 */
const leftAloneFor = (error: ConnectError | ConnectionLost): number =>
  error._tag === "HandshakeRefused" ? Math.min(error.retryAfterMs ?? 0, maxRetryAfter) : 0

/** Whether another attempt may succeed. */
const isTransient = (error: ConnectError): boolean =>
  error._tag !== "CallGone" &&
  (error._tag !== "HandshakeRefused" || classifyHandshake(error.status, error.body) === "transient")

const broken = (): ConnectionLost =>
  new ConnectionLost({ code: 1006, reason: "", message: "The provider failed for an internal reason." })

const notRestored = (afterMs: number): ConnectionLost =>
  new ConnectionLost({
    code: 1006,
    reason: "",
    message: `A new connection was open, and the server did not confirm the settings on it within ${afterMs / 1000} seconds.`
  })

/** The attempts of consecutive searches, counted by one schedule. */
type Attempts = Schedule.ScheduleDriver<unknown, ConnectError | ConnectionLost>

/**
 * The connections of a session, one after another. A lost connection is replaced, and an old one is replaced by a new
 * one while nobody speaks. There is one at a time, and each has a unique number, its epoch.
 */
export class Connections {
  #state: State = { _tag: "Seeking" }
  #traits = completed(undefined)
  /** The connection that carries the session, or carried it last. */
  #last: Connection | undefined
  #successor: Successor = none
  #lastEpoch = 0
  #lastSearch = 0
  #search: Fiber.RuntimeFiber<void> | undefined
  #attempts: Attempts | undefined
  #attempt = 0
  #retryAfter = 0
  /** A session that cannot begin is not worth another attempt. */
  #hasBegun = false

  constructor(
    private readonly session: Parts,
    private readonly connect: Connect,
    private readonly scope: Scope.Scope
  ) {}

  /** The connection that the session begins with. */
  get first(): Effect.Effect<void, ConnectError> {
    return Effect.map(this.#open(0), (link) => {
      this.#carriedBy(link.connection)
      this.#state = this.#online(link)
      Link.attend(link, this.session)
    })
  }

  /** The server has the initial settings: from now on, the session outlives its connection. */
  begun(): void {
    this.#hasBegun = true
  }

  get epoch(): number {
    return this.#state._tag === "Seeking" ? this.#lastEpoch : this.#state.link.epoch
  }

  /** The connection that carries the session now, if any. */
  get current(): Connection | undefined {
    return this.#state._tag === "Online" ? this.#state.link.connection : undefined
  }

  /** Whether the conversation outlives the connection that has it, or had it last, as far as the provider says. */
  get livesOn(): boolean | undefined {
    const conversation = this.#last?.traits?.conversation
    return conversation === undefined ? undefined : conversation === "server"
  }

  /** What the connection can do that carries the session, or carried it last. */
  get traits(): Required<Traits> {
    return this.#traits
  }

  /** Whether frames on this connection still count: it is not lost, and no other has taken its place. */
  isCurrent(epoch: number): boolean {
    return this.#state._tag !== "Seeking" && this.#state.link.epoch === epoch
  }

  /** By default the current connection: the server said that it will end it. */
  lost(error: ConnectionLost, epoch = this.epoch): void {
    const { continuity, outbox } = this.session
    const successor = this.#successor
    if (successor._tag === "Ready" && successor.link.epoch === epoch) {
      outbox.run(Effect.forkDaemon(successor.link.close))
      this.#successor = none
      this.#putOffRollover()
      return
    }
    if (this.#state._tag === "Seeking" || this.#state.link.epoch !== epoch) return
    const { link } = this.#state
    const wasStable = this.#state._tag === "Online" && this.session.now() - this.#state.since >= stableAfter
    outbox.run(Effect.forkDaemon(link.close))
    const willReconnect =
      this.#options.schedule !== undefined && this.#hasBegun && classifyClose(error.code, error.reason) === "transient"
    outbox.publish({ _tag: "ConnectionLost", code: error.code, message: error.message, willReconnect })
    if (!willReconnect) {
      outbox.end(Exit.fail(error))
      return
    }
    this.#carriedBy(link.connection)
    continuity.disconnected(epoch)
    this.#successor = none
    if (successor._tag === "Ready") {
      this.#carryOver(successor.link)
      return
    }
    this.#state = { _tag: "Seeking" }
    const isSearching = successor._tag === "Seeking"
    // If the search for the successor is in its first attempt, it becomes the search for this connection. One that has
    // failed before has used up attempts that are meant for a loss.
    if (isSearching && this.#attempt === 0) return
    if (isSearching && this.#search !== undefined) outbox.run(Fiber.interruptFork(this.#search))
    this.#startSearch(error, wasStable || isSearching)
  }

  reported(report: Report): void {
    const { outbox } = this.session
    switch (report._tag) {
      case "Waiting":
        outbox.publish({ _tag: "Reconnecting", attempt: report.attempt, delayMs: report.delayMs })
        break
      case "Opened":
        Link.attend(report.link, this.session)
        if (this.#state._tag === "Seeking") this.#carryOver(report.link)
        else if (this.#successor._tag === "Seeking") {
          this.#successor = { _tag: "Ready", link: report.link }
          this.session.inputAudio.prepareMove()
        } else outbox.run(Effect.forkDaemon(report.link.close))
        break
      case "GaveUp":
        if (report.search !== this.#lastSearch) break
        if (this.#state._tag === "Seeking") outbox.end(Exit.fail(report.error))
        else this.#putOffRollover()
        this.#successor = none
        break
    }
  }

  /** The server has the settings again, and is being sent the conversation. */
  restored(): void {
    if (this.#state._tag === "Restoring") this.#state = this.#online(this.#state.link)
  }

  /** Called after each input: the moment may be quiet. */
  settled(): void {
    if (this.#successor._tag !== "Ready" || this.#state._tag !== "Online" || !this.session.isQuiet()) return
    const { continuity, inputAudio, outbox } = this.session
    const { link } = this.#state
    const next = this.#successor.link
    this.#successor = none
    this.#carriedBy(link.connection)
    continuity.disconnected(link.epoch)
    inputAudio.moved()
    outbox.run(Effect.forkDaemon(link.close))
    this.#carryOver(next)
  }

  timePassed(): void {
    const state = this.#state
    const now = this.session.now()
    if (state._tag === "Restoring" && state.until <= now) {
      this.lost(notRestored(this.#options.restoreWithin), state.link.epoch)
    } else if (state._tag === "Online" && this.#successor._tag === "None" && state.rolloverAt <= now) {
      this.#successor = { _tag: "Seeking" }
      this.#startSearch(undefined, true)
    }
  }

  deadline(): number | undefined {
    if (this.#state._tag === "Restoring") return this.#state.until
    if (this.#state._tag === "Seeking" || this.#successor._tag !== "None") return undefined
    return Number.isFinite(this.#state.rolloverAt) ? this.#state.rolloverAt : undefined
  }

  close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const links = [
        this.#state._tag === "Seeking" ? [] : this.#state.link,
        this.#successor._tag === "Ready" ? this.#successor.link : []
      ]
      return Effect.zipRight(
        this.#stopSearch(),
        Effect.forEach(links.flat(), ({ close }) => close, { concurrency: "unbounded", discard: true })
      )
    })
  }

  get #options(): Options {
    return this.session.options.connections
  }

  #open(epoch: number): Effect.Effect<Link.Link, ConnectError> {
    return Link.open(
      Effect.suspend(() => this.connect(this.#last?.resumption)),
      this.scope,
      epoch
    )
  }

  #online(link: Link.Link): State {
    const since = this.session.now()
    // The time of a call that is carried elsewhere is its own, not that of a connection beside it.
    const lasts = this.#traits.audio === "elsewhere" ? Number.POSITIVE_INFINITY : this.#options.rolloverAfter
    return { _tag: "Online", link, since, rolloverAt: since + lasts }
  }

  #carryOver(link: Link.Link): void {
    this.#state = { _tag: "Restoring", link, until: this.session.now() + this.#options.restoreWithin }
    this.#carriedBy(link.connection)
    this.session.continuity.restore(link)
  }

  /** What a connection can do may change as long as it lasts. */
  #carriedBy(connection: Connection): void {
    this.#last = connection
    this.#traits = completed(connection.traits)
  }

  /** The old connection still works, and there is time for another attempt. */
  #putOffRollover(): void {
    if (this.#state._tag === "Online") this.#state.rolloverAt = this.session.now() + rolloverAgainAfter
  }

  /** Returns `false` if the session has ended. */
  #report(report: Report): boolean {
    return this.session.inbox.offer({ _tag: "Searched", report })
  }

  /** The end of a schedule is measured by the clock that never goes back. */
  #nextAttempt(attempts: Attempts, error: ConnectError | ConnectionLost) {
    this.#retryAfter = leftAloneFor(error)
    return Effect.either(Effect.withClock(attempts.next(error), this.session.clock))
  }

  #startSearch(why: ConnectionLost | undefined, mayStartAnew: boolean): void {
    const connections = this
    this.session.outbox.run(
      Effect.gen(function* () {
        const attempts = connections.#attempts ?? (yield* connections.#makeAttempts())
        connections.#attempts = attempts
        if (mayStartAnew) {
          connections.#attempt = 0
          yield* attempts.reset
        }
        connections.#lastSearch += 1
        const search = connections.#seek(attempts, why, connections.#lastSearch)
        connections.#search = yield* Effect.forkDaemon(Effect.interruptible(search))
      })
    )
  }

  #makeAttempts(): Effect.Effect<Attempts> {
    return Schedule.driver(
      Schedule.modifyDelay(this.#options.schedule ?? Schedule.stop, (_, delay) => {
        this.#attempt += 1
        const delayMs = Math.ceil(Duration.toMillis(delay)) + this.#retryAfter
        this.#report({ _tag: "Waiting", attempt: this.#attempt, delayMs })
        return Duration.millis(delayMs)
      })
    )
  }

  #seek(attempts: Attempts, why: ConnectionLost | undefined, search: number): Effect.Effect<void> {
    const connections = this
    return Effect.gen(function* () {
      let error: ConnectError | ConnectionLost | undefined = why
      for (;;) {
        if (error !== undefined) {
          const next = yield* connections.#nextAttempt(attempts, error)
          if (next._tag === "Left") {
            connections.#report({ _tag: "GaveUp", search, error })
            return
          }
        }
        connections.#lastEpoch += 1
        // A search that is stopped must not leave a connection open.
        const opened = yield* Effect.uninterruptible(
          Effect.tap(Effect.either(connections.#open(connections.#lastEpoch)), (opened) =>
            opened._tag === "Left" || connections.#report({ _tag: "Opened", link: opened.right })
              ? Effect.void
              : opened.right.close
          )
        )
        if (opened._tag === "Right") return
        error = opened.left
        if (!isTransient(error)) {
          connections.#report({ _tag: "GaveUp", search, error })
          return
        }
      }
    }).pipe(
      // A provider that dies counts as one that cannot connect.
      Effect.catchAllDefect(() =>
        Effect.sync(() => {
          this.#report({ _tag: "GaveUp", search, error: why ?? broken() })
        })
      )
    )
  }

  #stopSearch(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const before = this.#search
      this.#search = undefined
      return before === undefined ? Effect.void : Fiber.interrupt(before)
    })
  }
}
