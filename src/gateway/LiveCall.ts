/**
 * One call: a session, what its client is still to get, and the socket that the client has at present, if any.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { defaultFormat } from "../audio/Format.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import type { SessionError } from "../SessionError.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import { merge } from "../session/settings/merge.js"
import { encodeAudio } from "./AudioFrame.js"
import type { Identity } from "./Authentication.js"
import type { Close } from "./Close.js"
import { carryOut, turnSettings } from "./carryOut.js"
import type { Input } from "./Incoming.js"
import type { Call, Limits } from "./Options.js"
import { type Frame, type Kind, Outbox } from "./Outbox.js"
import { type Command, closeCodes, type EndReason, GatewayMessage, type Start, type Welcome } from "./Protocol.js"

export const write = Schema.encodeSync(Schema.parseJson(GatewayMessage))

/** The socket that has the call. */
export interface Link {
  /** There may be frames to send. */
  readonly wake: () => void
  readonly close: (close: Close) => void
}

export interface Ending {
  readonly reason: EndReason
  /** For the client. */
  readonly message: string
}

export interface LiveCall {
  readonly id: string
  /** What proves that a client may resume it. */
  readonly key: string
  readonly identity: Identity
  /** Whether a client can have all frames up to this number: not one that was never sent. */
  readonly hasSent: (number: number) => boolean
  /**
   * The socket has the call from now on, and its client has all frames up to this number. A socket that had it is closed,
   * and gets nothing any more.
   */
  readonly attach: (link: Link, received: number) => Effect.Effect<void>
  /** The socket is gone. If it had the call, the call waits for another one. */
  readonly detach: (link: Link) => Effect.Effect<void>
  readonly welcome: () => Welcome
  /** What is wrong with an input of a socket, if anything is. */
  readonly receive: (from: Link, input: Input) => Close | undefined
  /** The next frame to send on a socket. */
  readonly take: (link: Link) => Frame | undefined
  /** Whether nothing comes after what `take` still gives. */
  readonly isOver: () => boolean
  /** Tells the client something, behind what it is still to get. */
  readonly tell: (message: GatewayMessage) => void
  /** Ends the call, and waits for that. */
  readonly end: (ending: Ending) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ending>
}

/** What is done in the order in which it came. */
type Task =
  | { readonly _tag: "Audio"; readonly bytes: Uint8Array }
  | { readonly _tag: "Command"; readonly command: Command }
  | {
      readonly _tag: "Played"
      readonly itemId: string
      readonly contentIndex: number
      readonly heardMs: number | "finished"
    }
  | { readonly _tag: "CatchUp" }

const tooFast: Close = { code: closeCodes.tooFast, reason: "Send less in a second." }

/**
 * Begins a session for a client. The call ends with the scope, and has ended when `ended` has.
 *
 * @param id of the call
 */
export const begin = <E, R>(
  id: string,
  key: string,
  identity: Identity,
  { agent, options = {} }: Call<E, R>,
  start: typeof Start.Type,
  limits: Limits
): Effect.Effect<LiveCall, SessionError, Scope.Scope | RealtimeModel | R> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const outbox = new Outbox({ windowBytes: limits.maxUnacknowledgedBytes, maxBytes: limits.maxKeptBytes })
    const tasks = yield* Queue.unbounded<Task>()
    const ending = yield* Deferred.make<Ending>()
    const ended = yield* Deferred.make<Ending>()
    const abandonment = yield* FiberHandle.make()
    // Also where the scope closes first, nobody waits for the end in vain.
    const stopped: Ending = { reason: "ShutDown", message: "The gateway has stopped." }
    yield* Effect.addFinalizer(() => Deferred.succeed(ended, stopped))
    const endWith = (reason: EndReason, message: string) => Effect.asVoid(Deferred.succeed(ending, { reason, message }))
    let link: Link | undefined
    let waitingBytes = 0
    let taken = 0
    let isOver = false
    let catchesUp = false
    /** The part that speaks, for each of the two that may at the same time. */
    const parts = new Map<boolean, string>()

    const wake = (): void => {
      if (link === undefined) return
      if (!catchesUp && outbox.state._tag === "Lagging" && outbox.hasArrived) {
        catchesUp = true
        tasks.unsafeOffer({ _tag: "CatchUp" })
      }
      link.wake()
    }
    const push = (frame: Frame, kind: Kind): void => {
      outbox.push(frame, kind)
      wake()
    }
    const tell = (message: GatewayMessage): void => push(write(message), "Reply")
    const onEvent = (event: SessionEvent<E>): void => {
      push(write({ _tag: "Event", event }), "News")
      options.onEvent?.(event)
    }
    const onAudio = (chunk: AudioChunk): void => {
      const { contentIndex, itemId, outOfBand } = chunk
      const part = `${contentIndex} ${itemId}`
      if (start.playback === "reported" && parts.get(outOfBand) !== part) {
        parts.set(outOfBand, part)
        // From now on the client's word counts, and it has said nothing yet.
        tasks.unsafeOffer({ _tag: "Played", itemId, contentIndex, heardMs: 0 })
      }
      const frame = encodeAudio(chunk)
      if (frame !== undefined) push(frame, "News")
      options.onAudio?.(chunk)
    }

    const before = merge(agent.settings, options.settings ?? {})
    const detection = before.audio?.input?.turn_detection
    const turns = start.turns === undefined ? {} : turnSettings(start.turns, detection)
    const session = yield* Session.make(agent, {
      ...options,
      settings: merge(options.settings ?? {}, turns),
      onEvent,
      onAudio
    })

    /** The state now, in place of the frames that were dropped. */
    const catchUp: Effect.Effect<void> = Effect.gen(function* () {
      const state = outbox.state
      if (state._tag === "Current") return
      const [conversation, name, pending] = [
        yield* session.conversation,
        yield* session.agent,
        yield* session.pendingApprovals
      ]
      // Something was dropped since: the snapshot may be of before it.
      if (outbox.state !== state) return yield* catchUp
      const pendingApprovals = pending.map(({ call, deadline }) => ({ call, deadline }))
      const snapshot = { agent: name, conversation, pendingApprovals }
      outbox.caughtUp(write({ _tag: "Event", event: { _tag: "EventsMissed", count: state.missed, snapshot } }))
      catchesUp = false
      link?.wake()
    })

    const carry = (command: Command): Effect.Effect<void> => {
      if (command.id <= taken) return Effect.void
      taken = command.id
      if (command._tag === "HangUp") {
        tell({ _tag: "Done", id: command.id })
        return endWith("HungUp", "The client hung up.")
      }
      const reply = Effect.map(carryOut(session, command, detection), tell)
      // The model's server may take its time with settings: what comes behind does not wait.
      return command._tag === "SetTurns" ? Effect.asVoid(Effect.forkIn(reply, scope)) : reply
    }

    const work = (task: Task): Effect.Effect<void> => {
      switch (task._tag) {
        case "Audio":
          waitingBytes -= task.bytes.length
          return session.sendAudio(task.bytes).pipe(
            Effect.catchTags({
              InvalidAudio: ({ message }) => endWith("Misused", message),
              SessionClosed: () => Effect.void
            })
          )
        case "Command":
          return carry(task.command)
        case "Played":
          return Effect.ignore(session.reportPlayback(task.itemId, task.contentIndex, task.heardMs))
        case "CatchUp":
          return catchUp
      }
    }
    yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(tasks), work)))

    const sessionEnded: Effect.Effect<Ending> = Effect.as(Effect.exit(session.await), {
      reason: "SessionEnded",
      message: "The session has ended."
    })
    const finish = Effect.gen(function* () {
      const how = yield* Effect.raceFirst(Deferred.await(ending), sessionEnded)
      yield* session.close
      isOver = true
      tell({ _tag: "Ended", ...how })
      yield* Deferred.succeed(ended, how)
    })
    yield* Effect.forkScoped(finish)

    const abandoned = Effect.delay(endWith("Abandoned", "The client did not come back."), limits.resumeWithin)
    const waitForClient = Effect.asVoid(FiberHandle.run(abandonment, abandoned))
    // Its socket may be gone before the call is there.
    yield* waitForClient

    return {
      id,
      key,
      identity,
      hasSent: (number) => number < outbox.next,
      attach: (next, received) =>
        Effect.suspend(() => {
          link?.close({ code: closeCodes.replaced, reason: "Another socket has the call." })
          link = next
          outbox.rewind(received)
          wake()
          return FiberHandle.clear(abandonment)
        }),
      detach: (last) =>
        Effect.suspend(() => {
          if (link !== last) return Effect.void
          link = undefined
          return isOver ? Effect.void : waitForClient
        }),
      welcome: () => ({
        _tag: "Welcome",
        callId: id,
        key,
        sessionId: session.id,
        next: outbox.next,
        taken,
        input: before.audio?.input?.format ?? defaultFormat,
        output: before.audio?.output?.format ?? defaultFormat,
        resumeWithinMs: limits.resumeWithin,
        silenceMs: limits.silenceTimeout,
        maxMessageBytes: limits.maxMessageBytes
      }),
      receive: (from, input) => {
        if (from !== link) return undefined
        if (input instanceof Uint8Array) {
          if (waitingBytes + input.length > limits.maxBurstBytes) return tooFast
          waitingBytes += input.length
          tasks.unsafeOffer({ _tag: "Audio", bytes: input })
          return undefined
        }
        switch (input._tag) {
          case "Ack": {
            const isKnown = outbox.acknowledge(input.received)
            wake()
            return isKnown ? undefined : { code: closeCodes.malformed, reason: "No such frame was sent." }
          }
          case "Played":
            tasks.unsafeOffer(input)
            return undefined
          default:
            tasks.unsafeOffer({ _tag: "Command", command: input })
            return undefined
        }
      },
      take: (to) => (to === link ? outbox.take() : undefined),
      isOver: () => isOver,
      tell,
      end: (how) => Effect.zipRight(Deferred.succeed(ending, how), Effect.asVoid(Deferred.await(ended))),
      ended: Deferred.await(ended)
    }
  })
