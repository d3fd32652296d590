/** How a call begins: a stream and a session are tied to each other, and each end of one ends the other. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Agent } from "../Agent.js"
import { publishNow } from "../common/publishNow.js"
import { quietly } from "../common/quietly.js"
import { steadyClock } from "../common/steadyClock.js"
import { tell } from "../common/tell.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import type { SessionError } from "../SessionError.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import { merge } from "../session/settings/merge.js"
import type { ToolError } from "../ToolError.js"
import { Current } from "./Current.js"
import * as Departure from "./Departure.js"
import { Digits } from "./Digits.js"
import { Goodbye } from "./Goodbye.js"
import { Inbound } from "./Inbound.js"
import { sessionFormat, toSession } from "./Line.js"
import * as limits from "./limits.js"
import type * as MediaStream from "./MediaStream.js"
import type { PhoneEvent } from "./PhoneEvent.js"
import { Playout, type Report } from "./Playout.js"
import type { Recording } from "./Recording.js"
import { record, silentRecorder } from "./recorder.js"
import type { TransferFailed } from "./StreamError.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<in out E = unknown, out RO = never> {
  /** The options of the session. The formats of its audio are those of the stream, whatever the settings say. */
  readonly session?: Session.Options<E>
  /** Whether the agent speaks first, as people do who pick up the phone. Default: true. */
  readonly speaksFirst?: boolean
  /** Called with each event of the call when it happens. It must be quick. If it throws, the call goes on. Default: none. */
  readonly onPhoneEvent?: (event: PhoneEvent) => void
  /**
   * Connects the caller to a destination, when the agent has said goodbye; then the stream is closed. If it fails, the
   * call goes on, and the model is told. It runs once at a time, and goes on if the stream ends meanwhile. Default: a
   * transfer fails.
   */
  readonly transfer?: (destination: string) => Effect.Effect<void, TransferFailed, RO>
  /** How long `transfer` may take before it counts as failed. Default: 20 seconds. */
  readonly transferWithin?: Duration.DurationInput
  /** Records both sides, such as `Recording.toFile(path)`. Default: nothing is recorded. */
  readonly record?: Recording<RO>
  /**
   * How far ahead of the caller's ear the vendor gets audio. With less, a pause of the network is heard sooner. Default:
   * 1 second.
   */
  readonly lead?: Duration.DurationInput
  /** How much audio there is between two marks: what was heard is known to so much. Default: 100 milliseconds. */
  readonly markEvery?: Duration.DurationInput
  /** How long a goodbye may take before the call is ended without it. Default: 15 seconds. */
  readonly goodbyeWithin?: Duration.DurationInput
}

/**
 * The default options.
 *
 * @since 0.1.0
 * @category options
 */
export const defaults = {
  speaksFirst: true,
  lead: "1 second",
  markEvery: "100 millis",
  goodbyeWithin: "15 seconds",
  transferWithin: "20 seconds"
} as const

/**
 * A call that goes on, whose tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export interface PhoneCall<out E = never> {
  readonly info: MediaStream.Info
  readonly session: Session.Session<E>
  /** What happens to the call from now on. A reader that is slow misses the oldest of 256. */
  readonly events: Stream.Stream<PhoneEvent>
  /** Ends the call at once. */
  readonly hangUp: Effect.Effect<void>
  /** Waits for the end. Fails with what ended the session. */
  readonly ended: Effect.Effect<Departure.Ending, SessionError | ToolError<E>>
}

/** How the end of a stream ends the call, unless this side has closed it. */
const endings: Readonly<Record<MediaStream.End, Departure.Ending>> = {
  Stopped: { _tag: "CallerHungUp" },
  Closed: { _tag: "StreamLost" },
  TooLong: { _tag: "StreamLost" },
  Left: { _tag: "Closed" }
}

const earlier = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || (other !== undefined && other < one) ? other : one

/** Begins a call, or says how it ended before it had begun. */
export const begin = <E, R, RO>(
  agent: Agent<E, R>,
  stream: MediaStream.MediaStream,
  options: Options<NoInfer<E>, RO>
): Effect.Effect<
  Either.Either<PhoneCall<E>, Departure.Ending>,
  SessionError,
  Scope.Scope | RealtimeModel | Exclude<R, Current> | RO
> =>
  Effect.gen(function* () {
    // Whatever happens: the stream may belong to a scope that goes on.
    yield* Effect.addFinalizer(() => stream.close)
    yield* Rule.validate("PhoneCall.make", rules.phoneCall, options)
    const { goodbyeWithin, lead, markEvery, speaksFirst, transferWithin } = { ...defaults, ...options }
    const { info } = stream
    const { format } = info
    const clock = steadyClock(yield* Effect.clock)
    const now = () => clock.unsafeCurrentTimeMillis()
    const context = yield* Effect.context<RO>()
    const fork = Runtime.runFork(yield* Effect.runtime<never>())
    const published = yield* PubSub.sliding<PhoneEvent>(limits.maxUnreadEvents)
    const reports = yield* Mailbox.make<Report>({ capacity: limits.maxUnreported, strategy: "sliding" })
    const due = yield* Effect.makeLatch()
    const quiet = yield* Effect.makeLatch(true)

    const playout = new Playout({ format, leadMs: Duration.toMillis(lead), markMs: Duration.toMillis(markEvery) })
    const inbound = new Inbound(format, now())
    const converter = toSession(format)
    const digits = new Digits()
    const goodbye = new Goodbye(Duration.toMillis(goodbyeWithin))
    let ignored = 0
    let late = 0

    const publish = (event: PhoneEvent): void => {
      publishNow(published, event)
      const { onPhoneEvent } = options
      if (onPhoneEvent === undefined) return
      tell(onPhoneEvent, event, (thrown) => {
        // It is not told of its own failure.
        const message = "onPhoneEvent threw. What it threw is in `reason`."
        publishNow(published, { _tag: "ListenerFailed", message, reason: Redacted.make(thrown) })
      })
    }
    const report = (all: ReadonlyArray<Report>): void => {
      for (const one of all) reports.unsafeOffer(one)
    }
    const wake = (): void => due.unsafeOpen()
    const recorder =
      options.record === undefined
        ? silentRecorder
        : yield* record(options.record, format, now, ({ message }) => publish({ _tag: "RecordingFailed", message }))

    const onAudio = (chunk: AudioChunk): unknown => {
      const { bytes, contentIndex, itemId } = chunk
      // From now on, what was played counts, and nothing was.
      if (playout.add(itemId, contentIndex, bytes)) report([{ itemId, contentIndex, heardMs: 0 }])
      wake()
      // The session hears how that ends, also where it is asynchronous.
      return options.session?.onAudio?.(chunk)
    }
    const onEvent = (event: SessionEvent<E>): unknown => {
      if (goodbye.published(event)) publish({ _tag: "GoodbyeInterrupted" })
      switch (event._tag) {
        case "AudioInterrupted":
          // The session cuts the conversation after this.
          if (playout.interrupt(event.itemId, event.contentIndex, now())) {
            fork(stream.clear)
            recorder.cleared()
            publish({ _tag: "SpeechCleared" })
          }
          break
        case "AudioCompleted":
          playout.complete(event.itemId, event.contentIndex)
          break
        case "SpeechStarted":
        case "SpeechStopped":
          inbound.speaks(event._tag === "SpeechStarted")
          break
      }
      wake()
      return options.session?.onEvent?.(event)
    }

    const request = (departure: Departure.Departure, callId: string | undefined) =>
      Effect.sync(() => {
        goodbye.request(departure, callId, now())
        publish(
          departure._tag === "HangUp"
            ? { _tag: "HangUpRequested" }
            : { _tag: "TransferRequested", destination: departure.destination }
        )
        wake()
      })
    const events = Stream.fromPubSub(published)
    const current = Current.of({
      info,
      events,
      collect: (collecting = {}) => digits.collect(collecting, now, quiet.await),
      hangUp: (callId) => request({ _tag: "HangUp" }, callId),
      transfer: (destination, callId) => request({ _tag: "Transfer", destination }, callId)
    })

    const audio = sessionFormat(format)
    const sessionScope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const connecting = Session.make(agent, {
      ...options.session,
      settings: merge(options.session?.settings ?? {}, {
        audio: { input: { format: audio }, output: { format: audio } }
      }),
      onEvent,
      onAudio
    }).pipe(Effect.provideService(Current, current), Scope.extend(sessionScope))
    // Nobody waits for the model when the caller has gone, whatever it is that connects.
    const connected = yield* quietly((theirs) =>
      Effect.raceFirst(
        Effect.map(stream.ended, (how) => Either.left(endings[how])),
        Effect.disconnect(Effect.map(theirs(connecting), Either.right))
      )
    )
    if (Either.isLeft(connected)) {
      yield* Scope.close(sessionScope, Exit.void)
      return Either.left(connected.left)
    }
    const session = connected.right

    /** The caller's audio. It never waits for long: what cannot be sent waits in the session, or is dropped there. */
    const say = (bytes: Uint8Array) => Effect.ignore(session.sendAudio(converter.push(bytes)))
    const take = (event: MediaStream.Event): Effect.Effect<void> => {
      switch (event._tag) {
        case "Audio": {
          const heard = inbound.take(event.bytes, event.atMs, now())
          if (heard === undefined) {
            late += 1
            return Effect.sync(() => publish({ _tag: "LateMediaDropped", count: late }))
          }
          if (heard.gapMs > 0) publish({ _tag: "GapFilled", ms: heard.gapMs })
          recorder.heard(event.bytes)
          return Effect.zipRight(say(heard.silence), say(event.bytes))
        }
        case "Digit":
          return Effect.sync(() => {
            digits.press(event.digit, now())
            publish({ _tag: "DigitPressed", digit: event.digit })
          })
        case "Marked":
          return Effect.sync(() => {
            report(playout.marked(event.name))
            wake()
          })
        case "Ignored":
          return Effect.sync(() => {
            ignored += 1
            publish({ _tag: "FrameIgnored", reason: event.reason, count: ignored })
          })
        case "Missed":
          return Effect.sync(() => publish({ _tag: "EventsLost", count: event.count }))
      }
    }

    const { transfer } = options
    const departures = yield* Departure.make({
      transfer: transfer === undefined ? undefined : (destination) => Effect.provide(transfer(destination), context),
      transferWithin,
      stays: (destination, message) => {
        publish({ _tag: "TransferFailed", destination, message })
        // The model knows the names of the destinations, and none of the numbers.
        return Effect.ignore(session.sendText("(The call could not be connected. Tell the caller.)"))
      }
    })

    /** Does what is due, and says when to do it again. */
    const step: Effect.Effect<number | undefined> = Effect.gen(function* () {
      for (const order of playout.take(now())) {
        if (order._tag === "Mark") yield* stream.mark(order.name)
        else {
          yield* stream.send(order.bytes)
          recorder.played(order.bytes)
        }
      }
      report(playout.overdue(now()))
      const silence = inbound.fill(now())
      if (silence !== undefined) {
        publish({ _tag: "MediaStalled" })
        yield* say(silence)
      }
      yield* playout.isIdle() ? quiet.open : quiet.close
      const departure = goodbye.leave(playout.isIdle(), now())
      if (departure !== undefined) yield* departures.depart(departure)
      return [playout.nextAt(), inbound.fillAt(), goodbye.deadline()].reduce(earlier, undefined)
    })
    const pump = Effect.gen(function* () {
      for (;;) {
        yield* due.close
        const at = yield* step
        yield* at === undefined ? due.await : Effect.raceFirst(due.await, Effect.sleep(Math.max(0, at - now())))
      }
    })

    yield* Effect.forkScoped(pump)
    yield* Effect.forkScoped(
      Effect.forever(
        Effect.flatMap(reports.take, ({ contentIndex, heardMs, itemId }) =>
          Effect.ignore(session.reportPlayback(itemId, contentIndex, heardMs))
        )
      )
    )
    yield* Effect.forkScoped(Effect.ignore(Effect.forever(Effect.flatMap(stream.events.take, take))))
    const ended = yield* Deferred.make<Departure.Ending, SessionError | ToolError<E>>()
    const sessionEnded = Effect.as(session.await, endings.Left)
    const streamEnded = Effect.map(stream.ended, (how) => departures.settled(endings[how]))
    const finish = Effect.raceFirst(departures.ending, sessionEnded).pipe(
      Effect.map(Effect.succeed),
      Effect.raceFirst(streamEnded),
      Effect.exit,
      Effect.tap(() => {
        departures.close()
        return Effect.zipRight(stream.close, session.close)
      }),
      Effect.flatMap((exit) => Effect.exit(Effect.flatten(exit))),
      Effect.flatMap((exit) => Deferred.done(ended, exit))
    )
    yield* Effect.forkScoped(finish)
    // What else ends with the call may take longer than the caller should wait.
    yield* Effect.addFinalizer(() => Effect.zipRight(Deferred.succeed(ended, endings.Left), stream.close))
    if (speaksFirst) yield* Effect.ignore(session.requestResponse())
    return Either.right({
      info,
      session,
      events,
      hangUp: Effect.sync(() => departures.end(endings.Left)),
      ended: Deferred.await(ended)
    })
  })
