import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import type * as Agent from "../Agent.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ServerFrame } from "../protocol/Codec.js"
import type { ConnectError, Connection, ConnectionLost } from "../RealtimeModel.js"
import type { AgentUnknown, SessionClosed, SessionError, SettingsTimedOut } from "../SessionError.js"
import { type AudioChunk, type Failure, isFailure, type SessionEvent } from "../SessionEvent.js"
import type { ToolError } from "../ToolError.js"
import { steadyClock } from "../time/steadyClock.js"
import * as Alarm from "./Alarm.js"
import * as Asking from "./Asking.js"
import * as Backlog from "./Backlog.js"
import type { Report } from "./calls/CallFiber.js"
import * as Link from "./connection/Link.js"
import * as Outbox from "./connection/Outbox.js"
import * as Reconnection from "./connection/Reconnection.js"
import type * as Guardrails from "./guardrails/Guardrails.js"
import { publishJudged } from "./guardrails/judge.js"
import * as Handlers from "./Handlers.js"
import * as Live from "./publishing/Live.js"
import * as Subscribers from "./publishing/Subscribers.js"
import { eventsMissed } from "./publishing/Subscription.js"
import { Tap } from "./publishing/Tap.js"
import * as Recorder from "./Recorder.js"
import * as Spans from "./Spans.js"
import { configureWith } from "./settings/configure.js"
import { merge } from "./settings/merge.js"
import type { ConfigureError, TransferError } from "./team/handoffTool.js"
import type { Offer } from "./team/Offer.js"
import * as Team from "./team/Team.js"

/** Everything that can happen to a session. */
type Input<E> =
  | { readonly _tag: "Received"; readonly epoch: number; readonly frames: Chunk.Chunk<ServerFrame> }
  | { readonly _tag: "Disconnected"; readonly epoch: number; readonly error: ConnectionLost }
  | { readonly _tag: "Searched"; readonly report: Reconnection.Report }
  | { readonly _tag: "Commanded"; readonly command: () => void }
  | { readonly _tag: "Reported"; readonly callId: string; readonly report: Report<E> }
  | { readonly _tag: "Judged"; readonly report: Guardrails.Report }
  | { readonly _tag: "TimePassed" }
  | { readonly _tag: "Closed" }

export interface Options extends Handlers.Options {
  /** Settings that win over those of every agent. */
  readonly settings: Agent.Settings
  /** Milliseconds. */
  readonly settingsTimeout: number
  readonly reconnection: Reconnection.Options
  readonly recording: Recorder.Options
  readonly subscriberCapacity: number
  readonly audioCapacity: number
}

/** What a session begins with. */
export interface Beginning<E, R> {
  readonly sessionId: string
  readonly newId: (prefix: string) => string
  /** The agent, and with it all that the conversation may come to. */
  readonly agent: Agent.Agent<E, R>
  /** Who has the conversation first. */
  readonly beginner: Agent.Agent<E, R>
  /** The agents whose calls another process left open, by name. */
  readonly owners: ReadonlyArray<string>
  readonly writing: Recorder.Writing | undefined
  /** Why there is no journal, where there should be one. */
  readonly unwritten: string | undefined
}

/** What the session's commands are made of. */
export interface Loop<E> {
  readonly sessionId: string
  readonly events: Subscribers.Subscribers<SessionEvent<E>>["subscribe"]
  readonly errors: Stream.Stream<Failure<E>>
  readonly audio: Stream.Stream<AudioChunk>
  readonly handlers: Handlers.Handlers<E, unknown>
  /** Makes what the handlers know a value that can be watched. */
  readonly live: Live.Source["make"]
  readonly team: {
    readonly current: () => Offer<E, unknown>
    readonly transferTo: (name: string) => Effect.Effect<void, TransferError | AgentUnknown>
  }
  /** Changes settings, which it asks for in the loop, and waits for the server to confirm them. */
  readonly configure: (settings: () => Team.Update) => Effect.Effect<void, ConfigureError>
  readonly newId: (prefix: string) => string
  readonly send: (event: ClientEvent) => void
  /** Whether what is sent goes to the wire at once. */
  readonly isOnline: () => boolean
  /** The server has what the session begins with: from now on it outlives its connection. */
  readonly begun: Effect.Effect<void, SessionClosed>
  readonly publish: (event: SessionEvent<E>) => void
  readonly ask: Asking.Asking["ask"]
  readonly command: Asking.Asking["command"]
  readonly await: Effect.Effect<void, SessionError | ToolError<E>>
  readonly close: Effect.Effect<void>
}

/** The longest that the end of a session waits for its calls to stop: a deaf handler is left behind. */
const closeWithin = "1 second"

/**
 * One fiber takes every input from one mailbox, steps the machines through their handlers, and carries out what they
 * want. There is one writer, so no input ever sees a half-done step of another.
 */
export const make = <E, R>(
  begin: Beginning<E, R>,
  connect: Effect.Effect<Connection, ConnectError, Scope.Scope>,
  span: Tracer.Span,
  options: Options
): Effect.Effect<Loop<E>, ConnectError | SettingsTimedOut, Scope.Scope | R> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Effect.context<R>()
    const clock = yield* Effect.clock
    const tracer = yield* Effect.tracer
    const tap = yield* Tap
    const steady = steadyClock(clock)
    const now = () => steady.unsafeCurrentTimeMillis()
    const timeOfDay = () => clock.unsafeCurrentTimeMillis()
    const { agent, beginner, newId, sessionId } = begin

    const inbox = yield* Mailbox.make<Input<E>>()
    const { audioCapacity, subscriberCapacity } = options
    const events = Subscribers.make<SessionEvent<E>>(subscriberCapacity)
    const errors = Subscribers.make<Failure<E>>(subscriberCapacity)
    /** Nothing more is sent, and after that nothing more is published. */
    let isClosed = false
    let hasEnded = false
    let hasBegun = false
    const publish = (event: SessionEvent<E>): void => {
      if (hasEnded) return
      tap.published(event)
      events.publish(event)
      if (isFailure(event)) errors.publish(event)
    }
    const audio = Subscribers.make<AudioChunk>(audioCapacity)
    const audioMissed = (count: number) => {
      publish({ _tag: "AudioDropped", count })
      return []
    }
    const outbox: Outbox.Outbox<SessionEvent<E>, SessionError | ToolError<E>, R> = Outbox.make({
      connection: () => reconnection.connection(),
      sent: (event) => handlers.sent(event),
      keep: (event) => handlers.keep(event),
      publish,
      unsendable: (event) => {
        handlers.edits.refused(event.event_id)
        const message = `The ${event.type} event is not JSON: it was not sent.`
        publish({ _tag: "InputFailed", input: event.type, message })
      }
    })
    const recorder = yield* Recorder.make({
      writing: begin.writing,
      options: options.recording,
      sessionId,
      now: () => Number(clock.unsafeCurrentTimeNanos() / 1_000_000n),
      run: outbox.run,
      tell: (command) => inbox.unsafeOffer({ _tag: "Commanded", command }),
      changed: (change) => {
        switch (change._tag) {
          case "Lagged":
            outbox.publish({ _tag: "JournalLagged", message: change.message })
            break
          case "CaughtUp":
            outbox.publish({ _tag: "JournalCaughtUp", records: change.records, afterMs: change.afterMs })
            break
          case "GivenUp":
            outbox.publish({ _tag: "JournalFailed", message: change.error.message })
            if (Recorder.endsWith(change, options.recording.mode)) outbox.end(Exit.fail(change.error))
            break
        }
      }
    })
    const live = Live.source()
    const spans = Spans.make(tracer, clock, span)
    const handlers: Handlers.Handlers<E, R> = Handlers.make(options, {
      sessionId,
      now,
      timeOfDay,
      newId,
      outbox,
      spans,
      recorder,
      line: {
        epoch: () => reconnection.epoch(),
        connection: () => reconnection.connection(),
        restored: () => reconnection.restored(),
        lost: (error) => reconnection.lost(reconnection.epoch(), error)
      },
      isEnded: () => isClosed || outbox.ended() !== undefined,
      wake: () => inbox.unsafeOffer({ _tag: "TimePassed" }),
      offer: () => team.current(),
      offerOf: (name) => team.offerOf(name),
      play: (chunk) => {
        tap.played(chunk)
        audio.publish(chunk)
      },
      report: (callId, report) => inbox.unsafeOffer({ _tag: "Reported", callId, report }),
      tell: (callId, report) => Effect.ignore(asking.command(() => calls.reported(callId, report))),
      judged: (report) => inbox.unsafeOffer({ _tag: "Judged", report })
    })
    const { calls, configuration, guardrails } = handlers

    const asking = Asking.make({
      offer: (command) => inbox.unsafeOffer({ _tag: "Commanded", command }),
      afterwards: outbox.afterwards
    })
    const configure = configureWith(asking, configuration, options.settingsTimeout)
    const backlog = Backlog.make(maxUnhandled)
    const linkEnvironment: Link.Environment = {
      connect,
      received: (epoch, frames) => {
        inbox.unsafeOffer({ _tag: "Received", epoch, frames })
        return backlog.arrived(frames.length)
      },
      lost: (epoch, error) => inbox.unsafeOffer({ _tag: "Disconnected", epoch, error })
    }

    const handle = (input: Input<E>): void => {
      switch (input._tag) {
        case "Received":
          backlog.handled(input.frames.length)
          // What an older connection still had to say is about a conversation that is gone.
          for (const frame of input.frames) if (reconnection.isCurrent(input.epoch)) handlers.received(frame)
          break
        case "Disconnected":
          reconnection.lost(input.epoch, input.error)
          break
        case "Searched":
          reconnection.reported(input.report)
          break
        case "Commanded":
          input.command()
          break
        case "Reported":
          calls.reported(input.callId, input.report)
          break
        case "Judged":
          guardrails.reported(input.report)
          break
        case "TimePassed":
          handlers.timePassed()
          reconnection.timePassed()
          break
        case "Closed":
          outbox.end(Exit.void)
          break
      }
    }

    const alarm = Alarm.make(now, () => inbox.unsafeOffer({ _tag: "TimePassed" }))

    /** One input that can not be handled costs nothing else. */
    const handleSafely = (input: Input<E>): void => {
      try {
        handle(input)
        reconnection.settled()
      } catch (thrown) {
        // What was thrown may be the application's, and hold anything.
        const message = `${input._tag} could not be handled. What was thrown is in \`reason\`.`
        outbox.publish({ _tag: "InputFailed", input: input._tag, message, reason: Redacted.make(thrown) })
      }
    }

    const run = Effect.gen(function* () {
      while (outbox.ended() === undefined) {
        const [inputs] = yield* inbox.takeAll
        for (const input of inputs) {
          handleSafely(input)
          yield* outbox.flush
          // What is to be written down first is written.
          live.mayHaveChanged()
          if (outbox.ended() !== undefined) break
        }
        yield* alarm.set(Handlers.earliest(handlers.deadline(), reconnection.deadline()))
      }
    })

    const ended = yield* Deferred.make<void, SessionError | ToolError<E>>()

    /** Whatever ended the loop, nobody is left waiting. */
    const finish = (exit: Exit.Exit<void, SessionError | ToolError<E>>) =>
      Effect.gen(function* () {
        yield* inbox.shutdown
        yield* alarm.stop
        isClosed = true
        handlers.hostedCalls.close()
        const stop = Effect.all([guardrails.close(), calls.close(), reconnection.close()], {
          concurrency: "unbounded",
          discard: true
        })
        yield* outbox.flush
        spans.close()
        publish({ _tag: "SessionEnded", ...(Exit.isFailure(exit) ? { error: summary(exit.cause) } : {}) })
        hasEnded = true
        handlers.hearing.write()
        yield* recorder.ended(reasonOf(exit), timeOfDay())
        yield* stop.pipe(Effect.disconnect, Effect.interruptible, Effect.timeoutOption(closeWithin))
      }).pipe(
        // Whatever the end itself runs into, it is one.
        Effect.ensuring(
          Effect.suspend(() => {
            events.end()
            errors.end()
            audio.end()
            live.end()
            asking.close()
            return Deferred.done(ended, exit)
          })
        )
      )

    const close = Effect.suspend(() => {
      inbox.unsafeOffer({ _tag: "Closed" })
      return Effect.exit(Deferred.await(ended))
    }).pipe(Effect.asVoid)

    const first = yield* Link.open(linkEnvironment, scope, 0)
    // Before the loop runs: a server may speak first, and the handlers know whom it speaks to.
    const team = yield* Team.make(agent, beginner, {
      owners: begin.owners,
      timeout: options.settingsTimeout,
      settings: options.settings,
      publish,
      judged: (judged) => publishJudged(judged, publish),
      configure: (settings, confirmed) => configure(() => configuration.withoutFixed(settings()), confirmed),
      sent: configuration.sentSettings,
      restore: (settings) =>
        asking.ask((reply) => {
          // What was changed since the agent took over stays changed.
          const update = merge(settings, configuration.confirmedSettings())
          reply(Exit.succeed(configuration.update({ ...update, type: "realtime" }).send(() => undefined)))
        })
    })

    const reconnection: Reconnection.Reconnection = yield* Reconnection.make(options.reconnection, {
      clock: steady,
      first,
      hasBegun: () => hasBegun,
      open: (epoch) => Link.open(linkEnvironment, scope, epoch),
      run: outbox.run,
      publish: outbox.publish,
      report: (report) => inbox.unsafeOffer({ _tag: "Searched", report }),
      restore: handlers.restore,
      disconnected: handlers.disconnected,
      prepareMove: handlers.inputAudio.prepareMove,
      moved: handlers.inputAudio.moved,
      end: (error) => outbox.end(Exit.fail(error)),
      isQuiet: handlers.isQuiet
    })

    recorder.opened(beginner.name, timeOfDay())
    if (begin.unwritten !== undefined) publish({ _tag: "JournalFailed", message: begin.unwritten })
    // Not in the caller's region: the session's fibers must be stoppable, whoever starts it.
    yield* Effect.interruptible(run).pipe(
      Effect.onExit((exit) =>
        finish(Exit.isFailure(exit) ? Exit.failCause(exit.cause) : (outbox.ended() ?? Exit.void))
      ),
      Effect.forkDaemon
    )
    yield* Effect.addFinalizer(() => close)

    return {
      sessionId,
      events: events.subscribe,
      errors: errors.subscribe(subscriberCapacity, { _tag: "Tell", missed: eventsMissed }),
      audio: audio.subscribe(audioCapacity, { _tag: "Tell", missed: audioMissed }),
      handlers,
      live: live.make,
      team: { current: team.current, transferTo: (name) => Effect.provide(team.transferTo(name), context) },
      configure: (settings) => configure(settings),
      newId,
      send: outbox.send,
      isOnline: () => reconnection.connection() !== undefined,
      begun: asking.command(() => {
        hasBegun = true
        outbox.publish({ _tag: "SessionStarted", sessionId, agent: team.current().agent.name })
      }),
      publish,
      ask: asking.ask,
      command: asking.command,
      await: Deferred.await(ended),
      close
    }
  })

/** How many frames may wait for the loop before the provider is to hold the server back. */
export const maxUnhandled = 4096

const reasonOf = (exit: Exit.Exit<void, SessionError | ToolError>): string =>
  Exit.isSuccess(exit) ? "Closed" : summary(exit.cause)._tag

const summary = (cause: Cause.Cause<SessionError | ToolError>): { readonly _tag: string; readonly message: string } => {
  const failure = Cause.failureOption(cause)
  return failure._tag === "Some"
    ? { _tag: failure.value._tag, message: failure.value.message }
    : { _tag: "Defect", message: "The session failed for an internal reason." }
}
