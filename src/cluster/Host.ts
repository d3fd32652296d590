/** One node: the calls that it has, and what its parts share. */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Scope from "effect/Scope"
import type * as Agent from "../Agent.js"
import { forgetOldest } from "../common/forgetOldest.js"
import { steadyClock } from "../common/steadyClock.js"
import type { Service as Journals } from "../journal/Service.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import type * as Session from "../Session.js"
import type { SessionJournal } from "../SessionJournal.js"
import type { Instrument, Labels } from "../session/telemetry/Instrument.js"
import { Answers } from "./Answers.js"
import { DirectoryFailed, type NotAccepting } from "./ClusterError.js"
import { version } from "./Command.js"
import type { Door } from "./Door.js"
import type { CallRow, Service as Directory, Node, NodeState } from "./directory.js"
import type { Held, Live } from "./Held.js"
import * as instruments from "./instruments.js"
import { Listening } from "./Listening.js"
import type { Resolved } from "./options.js"

export interface Surroundings<E, R> {
  readonly agent: Agent.Agent<E, R>
  readonly node: Node
  readonly options: Resolved<E>
  readonly directory: Directory
  readonly journals: Journals
  readonly door: Context.Tag.Service<typeof Door>
  readonly context: Context.Context<R | RealtimeModel | SessionJournal>
  /** Of everything that goes on behind the node's back. */
  readonly scope: Scope.Scope
  readonly clock: Clock.Clock
  readonly labels: Labels
}

/** Of how many calls a node remembers that they moved: their clients are told within moments. */
export const maxMoved = 4096

export class Host<E, R> {
  readonly calls = new Map<string, Held<E>>()
  readonly now: () => number
  /** The last calls that went to other nodes. */
  readonly #moved = new Set<string>()
  #state: "Accepting" | "Draining" = "Accepting"
  /** When the lease was last renewed, by this process's own clock, which never goes back. */
  #renewedAt = Number.NEGATIVE_INFINITY

  constructor(readonly its: Surroundings<E, R>) {
    const clock = steadyClock(its.clock)
    this.now = () => clock.unsafeCurrentTimeMillis()
  }

  get nodeId(): string {
    return this.its.node.nodeId
  }

  get isDraining(): boolean {
    return this.#state === "Draining"
  }

  drains(): void {
    this.#state = "Draining"
  }

  /** @param at before the directory was asked */
  renewed(at: number): void {
    this.#renewedAt = at
  }

  /** Whether other nodes may have taken the calls of this one. */
  hasLapsed(): boolean {
    return this.now() - this.#renewedAt > this.its.options.leaseMs
  }

  /** Why the node takes no more calls. */
  refusal(): NotAccepting["reason"] | undefined {
    if (this.isDraining) return "draining"
    if (this.hasLapsed()) return "lapsed"
    return this.calls.size >= this.its.options.maxCalls ? "full" : undefined
  }

  /** What the directory gets to know of the node. */
  state(): NodeState {
    const accepting = !this.isDraining && this.calls.size < this.its.options.maxCalls
    return { ...this.its.node, accepting, calls: this.calls.size, version }
  }

  /** How many calls of other nodes can be resumed now. */
  room(): number {
    const { maxCalls, maxTakeOvers } = this.its.options
    let taking = 0
    for (const { _tag } of this.calls.values()) if (_tag === "Taking") taking += 1
    return Math.max(0, Math.min(maxTakeOvers - taking, maxCalls - this.calls.size))
  }

  moved(callId: string): void {
    this.#moved.delete(callId)
    this.#moved.add(callId)
    forgetOldest(this.#moved, maxMoved)
  }

  /** It did not move after all: it is over. */
  stays(live: Live<E>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#moved.delete(live.row.callId)
      this.set(live.row.callId, live)
      return Effect.flatMap(Effect.exit(live.session.await), (exit) => this.#ended(live, exit))
    })
  }

  /** Whether the call was here, and may go on elsewhere. */
  hasMoved(callId: string): boolean {
    return this.calls.get(callId)?._tag !== "Live" && this.#moved.has(callId)
  }

  live(callId: string): Live<E> | undefined {
    const held = this.calls.get(callId)
    return held?._tag === "Live" ? held : undefined
  }

  set(callId: string, held: Held<E>): void {
    this.calls.set(callId, held)
    this.#count()
  }

  /** `held`: only if it is still this. */
  remove(callId: string, held: Held<E>): void {
    if (this.calls.get(callId) !== held) return
    this.calls.delete(callId)
    this.#count()
  }

  measure(instrument: Instrument, amount: number, ...values: ReadonlyArray<string | undefined>): void {
    instrument.update(this.its.labels, amount, ...values)
  }

  /** Measures how long an effect takes, in seconds. */
  timed<A, Err, R2>(
    instrument: Instrument,
    effect: Effect.Effect<A, Err, R2>,
    outcomeOf: (exit: Exit.Exit<A, Err>) => ReadonlyArray<string | undefined> = () => []
  ): Effect.Effect<A, Err, R2> {
    return Effect.suspend(() => {
      const began = this.now()
      return Effect.onExit(effect, (exit) =>
        Effect.sync(() => this.measure(instrument, (this.now() - began) / 1_000, ...outcomeOf(exit)))
      )
    })
  }

  /** Asks the directory for at most a lease: a driver may hang where a server is paused, and not be interrupted. */
  ask<A>(question: Effect.Effect<A, DirectoryFailed>): Effect.Effect<A, DirectoryFailed> {
    const { leaseMs } = this.its.options
    // Also where a scope closes, and nothing is interruptible by itself.
    return Effect.interruptible(Effect.disconnect(question)).pipe(
      Effect.timeoutFail({
        duration: Duration.millis(leaseMs),
        onTimeout: () => new DirectoryFailed({ operation: "be asked", reason: `It took longer than ${leaseMs} ms.` })
      })
    )
  }

  /** Opens a session in a scope of its own. */
  open<Err>(
    how: (
      options: Session.Options<E>
    ) => Effect.Effect<Session.Session<E>, Err, R | RealtimeModel | SessionJournal | Scope.Scope>,
    given: Session.Options<E> = {}
  ): Effect.Effect<Pick<Live<E>, "session" | "scope" | "listening">, Err> {
    const { context, options, scope: outer } = this.its
    return Effect.uninterruptibleMask((restore) =>
      Effect.gen(this, function* () {
        const scope = yield* Scope.fork(outer, ExecutionStrategy.sequential)
        const listening = new Listening<E>(this.now)
        const session = yield* restore(how(listening.options({ ...options.session, ...given }))).pipe(
          Scope.extend(scope),
          Effect.provide(context),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        return { session, scope, listening }
      })
    )
  }

  /** The session runs, and the directory says that it is here. */
  begin(row: CallRow, opened: Pick<Live<E>, "session" | "scope" | "listening">): Effect.Effect<Live<E>> {
    return Effect.suspend(() => {
      const live: Live<E> = { _tag: "Live", row, ...opened, answers: new Answers() }
      this.set(row.callId, live)
      const watching = Effect.flatMap(Effect.exit(live.session.await), (exit) => this.#ended(live, exit))
      return Effect.as(Effect.forkIn(Effect.interruptible(watching), this.its.scope), live)
    })
  }

  /** Another node has the call: this one must not go on with it. */
  stopGhost(live: Live<E>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.remove(live.row.callId, live)
      this.moved(live.row.callId)
      this.measure(instruments.ghosts, 1)
      return Effect.zipRight(
        Effect.logWarning("Another node has this call: it is closed here.").pipe(
          Effect.annotateLogs({ callId: live.row.callId, nodeId: this.nodeId })
        ),
        this.close(live)
      )
    })
  }

  /** Ends the session, and waits until it has ended. */
  close({ scope, session }: Pick<Live<E>, "session" | "scope">): Effect.Effect<void> {
    return Effect.zipRight(session.close, Scope.close(scope, Exit.void))
  }

  /** Tells the directory that a call is over. If it cannot be told, it is told later. */
  settle(callId: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      const held = this.calls.get(callId)
      if (held?._tag !== "Over") return Effect.void
      return Effect.matchEffect(this.ask(this.its.directory.change(held.row, held.state)), {
        onFailure: () => Effect.void,
        onSuccess: () => Effect.sync(() => this.remove(callId, held))
      })
    })
  }

  /** The session has ended by itself, or its application ended it. */
  #ended(live: Live<E>, exit: Exit.Exit<void, unknown>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { row, scope } = live
      if (this.calls.get(row.callId) !== live) return Effect.void
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      const tag = tagOf(error)
      if (tag === "JournalTaken") return this.stopGhost(live)
      const closed = Scope.close(scope, exit)
      // What could not be written is lost, and the call is not: it is resumed when the directory is there again.
      if (tag === "JournalFailed") {
        this.moved(row.callId)
        return Effect.zipRight(
          Effect.sync(() => this.remove(row.callId, live)),
          closed
        )
      }
      this.set(row.callId, { _tag: "Over", row, state: error === undefined ? "ended" : "failed" })
      // What the error says may be the application's secret: only its tag is logged.
      const log = Effect.annotateLogs(Effect.logWarning("A call has failed."), { callId: row.callId, error: tag })
      return (error === undefined ? Effect.void : log).pipe(
        Effect.zipRight(closed),
        Effect.zipRight(this.settle(row.callId))
      )
    })
  }

  #count(): void {
    this.measure(instruments.calls, this.calls.size)
  }
}

export const make = <E, R>(its: Omit<Surroundings<E, R>, "labels" | "clock">): Effect.Effect<Host<E, R>> =>
  Effect.gen(function* () {
    const labels = yield* FiberRef.get(FiberRef.currentMetricLabels)
    return new Host({ ...its, labels, clock: yield* Effect.clock })
  })

const tagOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : undefined
