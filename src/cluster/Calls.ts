/**
 * Commands to calls, from any node or from a process without calls: finds the node that has the call, and finds it again
 * when the call has moved.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import { forgetOldest } from "../common/forgetOldest.js"
import { steadyClock } from "../common/steadyClock.js"
import { makeToken } from "../journal/token.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import type {
  AgentUnknown,
  ApprovalNotPending,
  HandoffSuperseded,
  SettingsInvalid,
  SettingsRejected,
  SettingsTimedOut
} from "../SessionError.js"
import { CallDirectory } from "./CallDirectory.js"
import {
  CallEnded,
  CallUnknown,
  CallUnreachable,
  type CommandUnknown,
  type DirectoryFailed,
  type TextRefused
} from "./ClusterError.js"
import { type CallStatus, type Command, type Envelope, type Refusal, type Reply, version } from "./Command.js"
import { Door, type Unanswered } from "./Door.js"
import * as instruments from "./instruments.js"
import * as rules from "./rules.js"

/**
 * Why a command was not answered.
 *
 * @since 0.1.0
 * @category errors
 */
export type CallError = CallUnknown | CallEnded | CallUnreachable | CommandUnknown

/**
 * A call somewhere in the cluster. Its methods are those of a session. A command that may not have arrived is sent again,
 * and is carried out once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call {
  readonly callId: string
  /**
   * Says something as the user, and asks the model to answer. Returns the id of the item once the session has it, and
   * its journal too. With an `id` of your own, the words are said once, even if this process dies and sends them again.
   * OpenAI takes ids of 1 to 32 characters; `TextRefused` if the model's server does not take the words.
   */
  readonly sendText: (
    text: string,
    options?: { readonly id?: string }
  ) => Effect.Effect<string, CallError | TextRefused>
  readonly approve: (
    toolCallId: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, CallError | ApprovalNotPending>
  readonly reject: (
    toolCallId: string,
    reason?: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, CallError | ApprovalNotPending>
  readonly interrupt: Effect.Effect<void, CallError>
  readonly updateAgent: (
    agent: string
  ) => Effect.Effect<
    void,
    CallError | AgentUnknown | HandoffSuperseded | SettingsInvalid | SettingsRejected | SettingsTimedOut
  >
  readonly status: Effect.Effect<CallStatus, CallError>
  /** Ends the call. It is no error if it has ended already. */
  readonly close: Effect.Effect<void, Exclude<CallError, CallEnded>>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Does not look for the call: the first command does. */
  readonly get: (callId: string) => Call
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Calls extends Context.Tag("effect-realtime/Calls")<Calls, Service>() {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /**
   * How long a command is tried. Longer than a lease, or a command that meets a dead node fails before the call goes on.
   * Default: 40 seconds.
   */
  readonly within?: Duration.DurationInput
  /** How long one try may take before the call is looked for again. Default: 1 second. */
  readonly tryWithin?: Duration.DurationInput
  /** Of how many calls it is remembered where they are. Default: 10,000. */
  readonly maxKnown?: number
}

/**
 * The default options.
 *
 * @since 0.1.0
 * @category options
 */
export const defaults = { within: "40 seconds", tryWithin: "1 second", maxKnown: 10_000 } as const satisfies Options

const pause = "100 millis"

/** Why a command is to be sent again. */
interface Again {
  readonly _tag: "Again"
  readonly reason: string
  /** Whether a node may have carried it out. */
  readonly mayBeDone: boolean
}

const again = (reason: string): Again => ({ _tag: "Again", reason, mayBeDone: false })
const unheard = (reason: string): Again => ({ _tag: "Again", reason, mayBeDone: true })

type Own = Exclude<Refusal, { readonly _tag: "CallNotHere" | "SessionClosed" }>

/**
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Service, OptionsInvalid, CallDirectory | Door> =>
  Effect.gen(function* () {
    yield* Rule.validate("Calls.make", rules.calls, options)
    const directory = yield* CallDirectory
    const door = yield* Door
    const clock = steadyClock(yield* Effect.clock)
    const labels = yield* FiberRef.get(FiberRef.currentMetricLabels)
    const withinMs = Duration.toMillis(options.within ?? defaults.within)
    const tryWithin = options.tryWithin ?? defaults.tryWithin
    const maxKnown = options.maxKnown ?? defaults.maxKnown
    const groups = new Map<string, string>()

    const locate = (callId: string): Effect.Effect<string, CallUnknown | CallEnded | DirectoryFailed | Again> =>
      Effect.gen(function* () {
        const row = yield* directory.find(callId)
        if (row === undefined) return yield* new CallUnknown({ callId })
        if (row.state === "ended" || row.state === "failed") return yield* new CallEnded({ callId, state: row.state })
        if (row.state !== "live") return yield* Effect.fail(again("It is moving to another node."))
        if (!row.isAlive || row.group === undefined) return yield* Effect.fail(again("Its node does not answer."))
        groups.set(callId, row.group)
        forgetOldest(groups, maxKnown)
        return row.group
      })

    /** Once, to the node that is known, or that the directory names. */
    const attempt = (envelope: Envelope): Effect.Effect<Reply, Own | CallUnknown | CallEnded | Again> =>
      Effect.suspend(() => {
        const { callId } = envelope
        const known = groups.get(callId)
        return known === undefined ? locate(callId) : Effect.succeed(known)
      }).pipe(
        Effect.flatMap((group) => door.send(group, envelope)),
        // Without a node, the door waits forever.
        Effect.disconnect,
        Effect.interruptible,
        Effect.timeoutFail({ duration: tryWithin, onTimeout: () => unheard("Its node did not answer in time.") }),
        // An interruption that is not the caller's own: the door was closed under the command.
        Effect.catchAllCause((cause) =>
          Cause.isInterruptedOnly(cause) ? Effect.fail(unheard("Its node has just stopped.")) : Effect.failCause(cause)
        ),
        Effect.catchTags({
          CallNotHere: ({ message }) => Effect.fail(again(message)),
          SessionClosed: () => Effect.fail(again("It is closed on its node.")),
          DirectoryFailed: ({ message }) => Effect.fail(again(message)),
          Unanswered: ({ reason }: Unanswered) => Effect.fail(unheard(reason))
        }),
        Effect.tapError(({ _tag }) =>
          Effect.sync(() => {
            if (_tag === "Again") groups.delete(envelope.callId)
          })
        )
      )

    const send = (callId: string, command: Command): Effect.Effect<Reply, CallError | Own> =>
      Effect.gen(function* () {
        const commandId = yield* makeToken
        const envelope: Envelope = { version, commandId, callId, command }
        const began = clock.unsafeCurrentTimeMillis()
        const tried = (mayBeDone: boolean): Effect.Effect<Reply, CallError | Own> =>
          Effect.catchIf(
            attempt(mayBeDone ? { ...envelope, again: true } : envelope),
            (error): error is Again => error._tag === "Again",
            (error) => {
              const { reason } = error
              const afterMs = clock.unsafeCurrentTimeMillis() - began
              return afterMs >= withinMs
                ? new CallUnreachable({ callId, afterMs, reason })
                : Effect.delay(tried(mayBeDone || error.mayBeDone), pause)
            }
          )
        const took = (tag: string | undefined) =>
          Effect.sync(() => {
            const seconds = (clock.unsafeCurrentTimeMillis() - began) / 1_000
            instruments.commandDuration.update(labels, seconds, command._tag, tag)
          })
        return yield* Effect.tapBoth(tried(false), {
          onSuccess: () => took(undefined),
          onFailure: ({ _tag }) => took(_tag)
        })
      }).pipe(
        Effect.withSpan(`effect_realtime.command ${command._tag}`, {
          kind: "client",
          attributes: { "effect_realtime.cluster.call": callId }
        })
      )

    return { get: (callId) => callOf(callId, (command) => send(callId, command)) }
  })

/** The errors that a command cannot have are defects of its node. */
const only =
  <const Tags extends ReadonlyArray<Own["_tag"]>>(...tags: Tags) =>
  <A>(
    self: Effect.Effect<A, CallError | Own>
  ): Effect.Effect<A, CallError | Extract<Own, { readonly _tag: Tags[number] }>> =>
    Effect.catchAll(self, (error) => (isOneOf(error, tags) ? Effect.fail(error) : Effect.die(error)))

const isOneOf = <const Tags extends ReadonlyArray<Own["_tag"]>>(
  error: CallError | Own,
  tags: Tags
): error is CallError | Extract<Own, { readonly _tag: Tags[number] }> =>
  [...tags, "CallUnknown", "CallEnded", "CallUnreachable", "CommandUnknown"].some((tag) => tag === error._tag)

const callOf = (callId: string, send: (command: Command) => Effect.Effect<Reply, CallError | Own>): Call => ({
  callId,
  sendText: (text, { id } = {}) =>
    Effect.flatMap(id === undefined ? Effect.map(makeToken, (token) => `itm_${token}`) : Effect.succeed(id), (itemId) =>
      Effect.as(only("TextRefused")(send({ _tag: "SendText", text, itemId })), itemId)
    ),
  approve: (toolCallId, { always = false } = {}) =>
    Effect.asVoid(only("ApprovalNotPending")(send({ _tag: "Approve", toolCallId, always }))),
  reject: (toolCallId, reason, { always = false } = {}) =>
    Effect.asVoid(
      only("ApprovalNotPending")(
        send({ _tag: "Reject", toolCallId, always, ...(reason === undefined ? {} : { reason }) })
      )
    ),
  interrupt: Effect.asVoid(only()(send({ _tag: "Interrupt" }))),
  updateAgent: (agent) =>
    Effect.asVoid(
      only(
        "AgentUnknown",
        "HandoffSuperseded",
        "SettingsInvalid",
        "SettingsRejected",
        "SettingsTimedOut"
      )(send({ _tag: "UpdateAgent", agent }))
    ),
  status: Effect.flatMap(only()(send({ _tag: "Status" })), (reply) =>
    reply._tag === "Reported" ? Effect.succeed(reply.status) : Effect.dieMessage("The node reported no status.")
  ),
  close: only()(send({ _tag: "Close" })).pipe(
    Effect.asVoid,
    Effect.catchTag("CallEnded", () => Effect.void)
  )
})

/**
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (options: Options): Layer.Layer<Calls, OptionsInvalid, CallDirectory | Door> =>
  Layer.effect(Calls, make(options))

/**
 * `layerWith` with default options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Calls, never, CallDirectory | Door> = Layer.effect(Calls, Effect.orDie(make()))
