import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { AgentInvalid } from "../Agent.js"
import type { ConnectError, Frame } from "../RealtimeModel.js"
import type { SessionError } from "../SessionError.js"
import type { ToolError } from "../ToolError.js"
import { Alarm } from "./Alarm.js"
import type { Link } from "./connection/Link.js"
import type { Input } from "./Inbox.js"
import type { Parts } from "./Parts.js"
import { route } from "./routing/route.js"

/** A running session. */
export interface Loop<out E> {
  /** Waits for the end of the session. Succeeds after `close`; otherwise fails with what ended the session. */
  readonly await: Effect.Effect<void, SessionError | ToolError<E>>
  /** Ends the session, and waits until everything in it has stopped. */
  readonly close: Effect.Effect<void>
}

/**
 * How long the end of a session waits for its calls to stop. A handler that does not react to interruption is left
 * running.
 */
const closeWithin = "1 second"

/**
 * Connects, and runs the session in one fiber. The fiber takes every input from one inbox, hands it to the right part,
 * and carries out the commands of the parts. There is a single writer, so no input ever sees a half-done step of
 * another. The session ends with the scope.
 */
export const start = <E, R>(
  session: Parts<E, R>
): Effect.Effect<Loop<E>, ConnectError | AgentInvalid, R | Scope.Scope> =>
  Effect.gen(function* () {
    const { beginning, connections, outbox, publisher, recorder, team } = session
    yield* connections.first
    // Before the loop runs: a server may speak first, and the parts must then know the agent.
    yield* team.begin
    if (beginning.unwritten !== undefined) publisher.publish({ _tag: "JournalFailed", message: beginning.unwritten })

    const alarm = new Alarm(
      () => session.now(),
      () => session.inbox.offer({ _tag: "TimePassed" })
    )
    const ended = yield* Deferred.make<void, SessionError | ToolError<E>>()
    const close = Effect.suspend(() => {
      session.inbox.offer({ _tag: "Closed" })
      return Effect.asVoid(Effect.exit(Deferred.await(ended)))
    })
    // Not in the caller's region: the session's fibers must be interruptible, whoever starts it.
    const running = Effect.interruptible(run(session, alarm)).pipe(
      Effect.onExit((exit) => {
        const ending = Exit.isFailure(exit) ? Exit.failCause(exit.cause) : (outbox.ended ?? Exit.void)
        return Effect.ensuring(
          finish(session, alarm, ending),
          // The end is handled even if it fails itself.
          Effect.suspend(() => {
            endStreams(session)
            return Deferred.done(ended, ending)
          })
        )
      })
    )
    const begun = Effect.map(recorder.begin, () => recorder.opened(beginning.beginner.name, session.timeOfDay()))
    // In one step: the caller may be interrupted at any moment.
    yield* Effect.acquireRelease(Effect.zipRight(begun, Effect.forkDaemon(running)), () => close)
    return { await: Deferred.await(ended), close }
  })

const run = <E, R>(session: Parts<E, R>, alarm: Alarm): Effect.Effect<void, never, R> =>
  Effect.gen(function* () {
    const { answers, inbox, live, outbox } = session
    while (outbox.ended === undefined) {
      const inputs = yield* inbox.takeAll
      for (const input of inputs) {
        handleSafely(input, session)
        if (!outbox.isEmpty()) yield* outbox.flush()
        // What must be written first has been written.
        live.mayHaveChanged()
        answers.settle()
        if (outbox.ended !== undefined) break
      }
      const deadline = session.deadline()
      if (alarm.isLaterThan(deadline)) yield* alarm.set(deadline)
    }
  })

/** An input that cannot be handled does not affect anything else. */
const handleSafely = <E>(input: Input<E>, session: Parts<E>): void => {
  try {
    handle(input, session)
    session.connections.settled()
  } catch (thrown) {
    failed(input._tag, thrown, session)
  }
}

/** Handles everything that waits on a link. */
const receive = ({ connection, epoch }: Link, session: Parts): void => {
  const { connections } = session
  const { end, messages } = connection.frames.takeNow()
  // The rest of an older connection is about a conversation that no longer exists.
  for (const frame of messages) if (connections.isCurrent(epoch)) routeSafely(frame, session)
  if (end?._tag === "Failed") connections.lost(end.error, epoch)
}

/** A frame that cannot be handled does not affect the others that arrived with it. */
const routeSafely = (frame: Frame, session: Parts): void => {
  try {
    route(frame, session)
  } catch (thrown) {
    failed("Received", thrown, session)
  }
}

/** The thrown value may be the application's, and may hold anything. */
const failed = (input: Input<unknown>["_tag"], thrown: unknown, { outbox }: Parts): void => {
  const message = `${input} could not be handled. What was thrown is in \`reason\`.`
  outbox.publish({ _tag: "InputFailed", input, message, reason: Redacted.make(thrown) })
}

const handle = <E>(input: Input<E>, session: Parts<E>): void => {
  const { calls, connections, outbox } = session
  switch (input._tag) {
    case "Received":
      receive(input.link, session)
      break
    case "Searched":
      connections.reported(input.report)
      break
    case "Commanded":
      input.command()
      break
    case "Reported":
      calls.reported(input.callId, input.report)
      break
    case "Judged":
      session.guardrails.reported(input.report)
      break
    case "TimePassed":
      session.timePassed()
      break
    case "Closed":
      outbox.end(Exit.void)
      break
  }
}

/** However the loop ended, nobody is left waiting. */
const finish = <E, R>(
  session: Parts<E, R>,
  alarm: Alarm,
  exit: Exit.Exit<void, SessionError | ToolError<E>>
): Effect.Effect<void, never, R> =>
  Effect.gen(function* () {
    const { inbox, outbox, publisher, recorder, telemetry } = session
    inbox.close()
    yield* alarm.stop
    const stop = Effect.all(session.close(), { concurrency: "unbounded", discard: true })
    yield* outbox.flush()
    telemetry.close(Exit.isFailure(exit) ? summary(exit.cause)._tag : undefined)
    publisher.publish({ _tag: "SessionEnded", ...(Exit.isFailure(exit) ? { error: summary(exit.cause) } : {}) })
    publisher.close()
    session.writeHeard()
    const reason = Exit.isFailure(exit) ? summary(exit.cause)._tag : "Closed"
    yield* recorder.ended(reason, session.timeOfDay())
    yield* stop.pipe(Effect.disconnect, Effect.interruptible, Effect.timeoutOption(closeWithin))
  })

const endStreams = ({ asking, live, publisher }: Parts): void => {
  publisher.end()
  live.end()
  asking.close()
}

const summary = (cause: Cause.Cause<SessionError | ToolError>): { readonly _tag: string; readonly message: string } => {
  const failure = Cause.failureOption(cause)
  return failure._tag === "Some"
    ? { _tag: failure.value._tag, message: failure.value.message }
    : { _tag: "Defect", message: "The session failed for an internal reason." }
}
