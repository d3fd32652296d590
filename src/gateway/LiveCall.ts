/**
 * One call: a session, the frames that its client has not received yet, and the client's current socket, if any.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { defaultFormat } from "../audio/Format.js"
import type * as Session from "../Session.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import type { Close } from "../serving/Close.js"
import { merge } from "../session/settings/merge.js"
import { encodeAudio } from "./AudioFrame.js"
import type { Identity } from "./Authentication.js"
import { carryOut, type Reply, turnSettings } from "./carryOut.js"
import type { Input } from "./Incoming.js"
import type { Call, Limits } from "./Options.js"
import { type Frame, type Kind, Outbox } from "./Outbox.js"
import { type Command, closeCodes, type EndReason, GatewayMessage, type Start, type Welcome } from "./Protocol.js"

export const write = Schema.encodeSync(Schema.parseJson(GatewayMessage))

/** The socket that the call uses. */
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
  /** The secret that a client must send to resume the call. */
  readonly key: string
  readonly identity: Identity
  /** Whether a client can have all frames up to this number. It cannot have a frame that was never sent. */
  readonly hasSent: (number: number) => boolean
  /**
   * Attaches the call to a socket whose client has all frames up to this number. The previous socket is closed, and gets
   * no more frames.
   */
  readonly attach: (link: Link, received: number) => Effect.Effect<void>
  /** The socket has closed. If it was attached, the call waits for another one. */
  readonly detach: (link: Link) => Effect.Effect<void>
  readonly welcome: () => Welcome
  /** Handles the input of a socket. Returns why the socket must close, if the input is not acceptable. */
  readonly receive: (from: Link, input: Input) => Close | undefined
  /** The next frame to send on a socket. */
  readonly take: (link: Link) => Frame | undefined
  /** Whether the call has ended, so that `take` returns only what is left. */
  readonly isOver: () => boolean
  /** Sends a message to the client, after all frames that are waiting. */
  readonly tell: (message: GatewayMessage) => void
  /** Ends the call, and waits until it has ended. */
  readonly end: (ending: Ending) => Effect.Effect<void>
  readonly ended: Effect.Effect<Ending>
}

/** Work that is done in order of arrival. */
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

/** Not at once, but a client may resume after it. */
const moved: Close = { code: closeCodes.moved, reason: "The call goes on at another gateway. Resume it." }

const tooFast: Close = { code: closeCodes.tooFast, reason: "Send less per second." }

/** Where the session of a call comes from. */
export interface Origin<E, Err, R> {
  readonly session: (options: Session.Options<E>) => Effect.Effect<Session.Session<E>, Err, R>
  /** Present if another process had the call: the number of the last frame that its client has. */
  readonly received?: number
  /** Whether the session may go on when the gateway stops, or has gone elsewhere. */
  readonly outlives: boolean
  readonly hasMoved: Effect.Effect<boolean>
}

/**
 * Begins or takes a session for a client. The call ends when the scope closes, and is over when `ended` completes.
 *
 * @param id of the call
 */
export const begin = <E, R, Err, R2>(
  id: string,
  key: string,
  identity: Identity,
  { agent, options = {} }: Call<E, R>,
  start: typeof Start.Type,
  limits: Limits,
  origin: Origin<E, Err, R2>
): Effect.Effect<LiveCall, Err, Scope.Scope | R2> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const outbox = new Outbox({ windowBytes: limits.maxUnacknowledgedBytes, maxBytes: limits.maxKeptBytes })
    if (origin.received !== undefined) outbox.continueAfter(origin.received)
    const tasks = yield* Queue.unbounded<Task>()
    const ending = yield* Deferred.make<Ending>()
    const ended = yield* Deferred.make<Ending>()
    const abandonment = yield* FiberHandle.make()
    // If the scope closes first, this completes what waits for the end.
    const stopped: Ending = { reason: "ShutDown", message: "The gateway has stopped." }
    yield* Effect.addFinalizer(() => Deferred.succeed(ended, stopped))
    const endWith = (reason: EndReason, message: string) => Effect.asVoid(Deferred.succeed(ending, { reason, message }))
    let link: Link | undefined
    let waitingBytes = 0
    let taken = 0
    let isOver = false
    let catchesUp = false
    /** The content part that is spoken. Two parts may be spoken at the same time. */
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
    const onEvent = (event: SessionEvent<E>): unknown => {
      push(write({ _tag: "Event", event }), "News")
      return options.onEvent?.(event)
    }
    const onAudio = (chunk: AudioChunk): unknown => {
      const { contentIndex, itemId, outOfBand } = chunk
      const part = `${contentIndex} ${itemId}`
      if (start.playback === "reported" && parts.get(outOfBand) !== part) {
        parts.set(outOfBand, part)
        // From now on, the client's reports count, and it has reported nothing yet.
        tasks.unsafeOffer({ _tag: "Played", itemId, contentIndex, heardMs: 0 })
      }
      const frame = encodeAudio(chunk)
      if (frame !== undefined) push(frame, "News")
      return options.onAudio?.(chunk)
    }

    const before = merge(agent.settings, options.settings ?? {})
    const detection = before.audio?.input?.turn_detection
    const turns = start.turns === undefined ? {} : turnSettings(start.turns, detection)
    const session = yield* origin.session({
      ...options,
      settings: merge(options.settings ?? {}, turns),
      onEvent,
      onAudio
    })

    /** The current state, which replaces the frames that were dropped. */
    const catchUp: Effect.Effect<void> = Effect.gen(function* () {
      const state = outbox.state
      if (state._tag === "Current") return
      const [conversation, name, pending] = [
        yield* session.conversation,
        yield* session.agent,
        yield* session.pendingApprovals
      ]
      // More frames were dropped since, and the snapshot may be older than they are.
      if (outbox.state !== state) return yield* catchUp
      const pendingApprovals = pending.map(({ call, deadline }) => ({ call, deadline }))
      const snapshot = { agent: name, conversation, pendingApprovals }
      outbox.caughtUp(write({ _tag: "Event", event: { _tag: "EventsMissed", count: state.missed, snapshot } }))
      catchesUp = false
      link?.wake()
    })

    const goesElsewhere = origin.outlives ? origin.hasMoved : Effect.succeed(false)

    const answer = (reply: Reply): Effect.Effect<void> =>
      reply._tag === "Failed" && reply.error._tag === "SessionClosed"
        ? Effect.map(goesElsewhere, (goes) => (goes ? undefined : tell(reply)))
        : Effect.sync(() => tell(reply))

    const carry = (command: Command): Effect.Effect<void> =>
      Effect.flatMap(goesElsewhere, (goes) => {
        // Where the session goes on elsewhere, there is no answer: the client sends the command again there.
        if (goes || command.id <= taken) return Effect.void
        taken = command.id
        if (command._tag === "HangUp") {
          tell({ _tag: "Done", id: command.id })
          return endWith("HungUp", "The client hung up.")
        }
        // Another process may have done it already, and the client does not know.
        const itemId = origin.outlives ? `c${id}_${command.id.toString(36)}` : undefined
        const reply = Effect.flatMap(carryOut(session, command, detection, itemId), answer)
        // The model's server may take a while to apply settings. Later commands do not wait for it.
        return command._tag === "SetTurns" ? Effect.asVoid(Effect.forkIn(reply, scope)) : reply
      })

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
      const goesOn =
        (how.reason === "ShutDown" && origin.outlives) || (how.reason === "SessionEnded" && (yield* goesElsewhere))
      if (goesOn) link?.close(moved)
      else {
        yield* session.close
        isOver = true
        tell({ _tag: "Ended", ...how })
      }
      yield* Deferred.succeed(ended, how)
    })
    yield* Effect.forkScoped(finish)

    const abandoned = Effect.delay(endWith("Abandoned", "The client did not come back."), limits.resumeWithin)
    const waitForClient = Effect.asVoid(FiberHandle.run(abandonment, abandoned))
    // The socket may close before the call has begun.
    yield* waitForClient

    return {
      id,
      key,
      identity,
      hasSent: (number) => number < outbox.next,
      attach: (next, received) =>
        Effect.suspend(() => {
          link?.close({ code: closeCodes.replaced, reason: "Another socket resumed the call." })
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
