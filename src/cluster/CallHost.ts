/**
 * The calls of one node: begins them, resumes those of nodes that died, and gives them away when the node stops.
 *
 * A session lives here, in the node's own scope. Nothing that happens to an entity, a shard or a client ends it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type * as Agent from "../Agent.js"
import { makeToken } from "../journal/token.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import type { SessionError } from "../SessionError.js"
import { SessionJournal } from "../SessionJournal.js"
import { groupOf, textOf } from "./address.js"
import { carry } from "./answer.js"
import { CallDirectory } from "./CallDirectory.js"
import {
  type AddressInUse,
  CallEnded,
  CallExists,
  CallUnknown,
  CallUnreachable,
  type DirectoryFailed,
  NotAccepting
} from "./ClusterError.js"
import { type Envelope, type Refusal, type Reply, version } from "./Command.js"
import { Door } from "./Door.js"
import type { Node } from "./directory.js"
import { drain } from "./drain.js"
import type { Live } from "./Held.js"
import * as Host from "./Host.js"
import { claim, keep } from "./keeper.js"
import type { Listeners } from "./Listening.js"
import { type DrainOptions, type HostOptions, resolve, resolveDrain } from "./options.js"
import * as rules from "./rules.js"
import { takeOver } from "./takeOver.js"

export type { Listeners } from "./Listening.js"
export { type DrainOptions, defaults, type HostOptions, type ResumeError } from "./options.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface StartOptions<in E = unknown> {
  /** Also the id of the session and of its journal. Default: a random id. */
  readonly callId?: string
  /** For this session. They override those of the node, as long as the call is here. */
  readonly session?: Omit<Session.Options<E>, "sessionId" | "journal">
}

/**
 * Why a call could not be had here.
 *
 * @since 0.1.0
 * @category errors
 */
export type AdoptError = CallUnknown | CallEnded | CallUnreachable | NotAccepting

/**
 * How a node is: what an orchestrator asks.
 *
 * @since 0.1.0
 * @category models
 */
export interface Health extends Node {
  /** `Lapsed`: the directory could not be reached for a whole lease, and other nodes may have taken the calls. */
  readonly state: "Accepting" | "Full" | "Lapsed" | "Draining"
  readonly calls: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service<out E = unknown> {
  readonly node: Node
  /** Begins a call. It goes on until its session ends, whatever happens to whoever began it. */
  readonly start: (
    options?: StartOptions<E>
  ) => Effect.Effect<Session.Session<E>, SessionError | CallExists | NotAccepting | DirectoryFailed>
  /**
   * Has a call here: because its caller has come back to this node. The node that has it gives it away; if that one
   * died, the call is resumed.
   */
  readonly adopt: (callId: string) => Effect.Effect<Session.Session<E>, AdoptError>
  /** The session of a call that runs here. */
  readonly get: (callId: string) => Effect.Effect<Option.Option<Session.Session<E>>>
  /**
   * Hears a call that runs here until the scope closes. A call that nobody attends is closed after `abandonAfter`.
   */
  readonly attend: (callId: string, listeners?: Listeners<E>) => Effect.Effect<void, CallUnknown, Scope.Scope>
  /** Whether a call that was here goes on at another node, or may be adopted again. */
  readonly hasMoved: (callId: string) => Effect.Effect<boolean>
  /** Carries out what a client asks for. The same command id is carried out once. */
  readonly carry: (envelope: Envelope) => Effect.Effect<Reply, Refusal>
  /** Takes no more calls, and gives away those that there are. Returns when none is left. */
  readonly drain: (options?: DrainOptions) => Effect.Effect<void, OptionsInvalid>
  /** The number of calls, including those that begin, move or end at this moment. */
  readonly count: Effect.Effect<number>
  readonly health: Effect.Effect<Health>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class CallHost extends Context.Tag("effect-realtime/CallHost")<CallHost, Service>() {}

/** How long `adopt` tries. */
const adoptWithin = "40 seconds"

/** How long one question to another node may take before it is asked again. */
const askWithin = "1 second"

const pause = "200 millis"

/**
 * Makes a node that runs this agent. Registers it in the directory, and waits for the lease of a process that died at
 * the same address. When the scope closes, calls that were not drained are closed, and go on at other nodes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R>(
  agent: Agent.Agent<E, R>,
  options: HostOptions<NoInfer<E>>
): Effect.Effect<
  Service<E>,
  OptionsInvalid | AddressInUse | DirectoryFailed,
  Scope.Scope | CallDirectory | Door | RealtimeModel | SessionJournal | R
> =>
  Effect.gen(function* () {
    yield* Rule.validate("CallHost.make", rules.host, options)
    const resolved = resolve(options)
    const directory = yield* CallDirectory
    const door = yield* Door
    const group = groupOf(options.address)
    const node: Node = { nodeId: `${group}#${yield* makeToken}`, group, address: textOf(options.address) }
    const own = yield* Effect.scope
    // When all sessions are closed, what is left is free for others at once.
    yield* Effect.addFinalizer(() => Effect.ignore(host.ask(directory.leave(node.nodeId))))
    const scope = yield* Scope.fork(own, ExecutionStrategy.parallel)
    const host = yield* Host.make<E, R>({
      agent,
      node,
      options: resolved,
      directory,
      journals: yield* SessionJournal,
      door,
      context: yield* Effect.context<R | RealtimeModel | SessionJournal>(),
      scope
    })

    const joined = host.now()
    yield* directory.join(host.state(), resolved.leaseMs).pipe(
      Effect.retry({
        while: ({ _tag }) => _tag === "AddressInUse",
        schedule: Schedule.spaced(pause).pipe(Schedule.upTo(2 * resolved.leaseMs))
      })
    )
    host.renewed(Math.max(joined, host.now() - resolved.tickMs))
    yield* Effect.addFinalizer(() =>
      Effect.zipRight(
        Effect.sync(() => host.drains()),
        // Before its sessions are closed: so they are not taken for calls that have ended.
        Effect.forEach(
          [...host.calls.values()],
          (held) =>
            held._tag === "Live" && !held.listening.isOver()
              ? Effect.ignore(host.ask(directory.change(held.row, "moving")))
              : Effect.void,
          { concurrency: 8, discard: true }
        )
      )
    )
    yield* Effect.forkIn(Effect.interruptible(keep(host)), own)

    const start: Service<E>["start"] = ({ callId: given, session } = {}) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const callId = given ?? `call_${yield* makeToken}`
          if (host.calls.has(callId)) return yield* new CallExists({ callId })
          const reason = host.refusal()
          if (reason !== undefined) return yield* new NotAccepting({ nodeId: node.nodeId, reason })
          const starting = { _tag: "Starting" } as const
          host.set(callId, starting)
          return yield* Effect.gen(function* () {
            const opened = yield* restore(
              host.open((all) => Session.make(agent, { ...all, sessionId: callId }), session)
            ).pipe(
              // The call of this id writes it, at whichever node.
              Effect.catchTags({
                JournalExists: () => new CallExists({ callId }),
                JournalBusy: () => new CallExists({ callId })
              })
            )
            const row = { callId, sessionId: callId, nodeId: node.nodeId, epoch: 1 }
            const isNew = yield* restore(directory.insert(row)).pipe(Effect.onError(() => host.close(opened)))
            if (isNew) return yield* host.begin({ ...row, state: "live" }, opened)
            yield* host.close(opened)
            return yield* new CallExists({ callId })
          }).pipe(
            Effect.map((live) => live.session),
            Effect.onError(() => Effect.sync(() => host.remove(callId, starting)))
          )
        })
      )

    /** One step towards having the call here. */
    const approach = (callId: string, commandId: string): Effect.Effect<Live<E> | undefined, AdoptError> =>
      Effect.gen(function* () {
        const held = host.calls.get(callId)
        if (held?._tag === "Live" && !host.hasLapsed()) return held
        if (held?._tag === "Taking") return yield* Deferred.await(held.done)
        if (held?._tag === "Over") return yield* new CallEnded({ callId, state: held.state })
        if (held !== undefined) return undefined
        const reason = host.refusal()
        if (reason === "draining" || reason === "full") {
          return yield* new NotAccepting({ nodeId: node.nodeId, reason })
        }
        const row = yield* directory.find(callId)
        if (row === undefined) return yield* new CallUnknown({ callId })
        if (row.state === "ended" || row.state === "failed") return yield* new CallEnded({ callId, state: row.state })
        // It may have been begun since it was looked for.
        if (host.calls.has(callId)) return undefined
        if (row.nodeId === node.nodeId) return row.state === "taking" ? yield* takeOver(host, row) : undefined
        if (row.isAlive && row.group !== undefined) {
          const command = { _tag: "HandOver", toNodeId: node.nodeId }
          yield* Effect.ignore(door.send(row.group, { version, commandId, callId, command })).pipe(
            Effect.disconnect,
            Effect.timeoutOption(askWithin)
          )
          return undefined
        }
        const [claimed] = yield* claim(host, 1, callId)
        return claimed === undefined || host.calls.has(callId)
          ? undefined
          : yield* takeOver(host, claimed, claimed.before)
      }).pipe(Effect.catchTag("DirectoryFailed", () => Effect.succeed(undefined)))

    const adopt: Service<E>["adopt"] = (callId) =>
      Effect.gen(function* () {
        const commandId = yield* makeToken
        for (;;) {
          const live = yield* approach(callId, commandId)
          if (live !== undefined) return live.session
          yield* Effect.sleep(pause)
        }
      }).pipe(
        Effect.timeoutFail({
          duration: adoptWithin,
          onTimeout: () =>
            new CallUnreachable({
              callId,
              afterMs: Duration.toMillis(adoptWithin),
              reason: "The node that has it did not give it away."
            })
        })
      )

    return {
      node,
      start,
      adopt,
      get: (callId) => Effect.sync(() => Option.map(Option.fromNullable(host.live(callId)), ({ session }) => session)),
      attend: (callId, listeners = {}) =>
        Effect.suspend(() => {
          const live = host.live(callId)
          if (live === undefined) return new CallUnknown({ callId })
          return Effect.acquireRelease(
            Effect.sync(() => live.listening.add(listeners)),
            () => Effect.sync(() => live.listening.remove(listeners))
          )
        }),
      hasMoved: (callId) => Effect.sync(() => host.hasMoved(callId)),
      carry: (envelope) => carry(host, envelope),
      drain: (given) =>
        Effect.zipRight(
          Rule.validate("CallHost.drain", rules.drain, given ?? {}),
          Effect.suspend(() => drain(host, given === undefined ? resolved.drain : resolveDrain(given)))
        ),
      count: Effect.sync(() => host.calls.size),
      health: Effect.sync(() => ({ ...node, state: states[host.refusal() ?? "none"], calls: host.calls.size }))
    }
  })

const states = { none: "Accepting", full: "Full", lapsed: "Lapsed", draining: "Draining" } as const

/**
 * `make`, for a node that speaks to others: see `ClusterNode.layer`, which also drains it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E, R>(
  agent: Agent.Agent<E, R>,
  options: HostOptions<NoInfer<E>>
): Layer.Layer<
  CallHost,
  OptionsInvalid | AddressInUse | DirectoryFailed,
  CallDirectory | Door | RealtimeModel | SessionJournal | R
> => Layer.scoped(CallHost, make(agent, options))
