/**
 * A live session between an agent and a realtime model.
 *
 * @since 0.1.0
 * @module
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Agent from "./Agent.js"
import type { InvalidAudio } from "./audio/InvalidAudio.js"
import type { Conversation } from "./Conversation.js"
import type { Recovered } from "./journal/Fold.js"
import { JournalExists, type JournalNotFound } from "./journal/JournalError.js"
import { releaseOnFailure, type Service } from "./journal/Service.js"
import * as sessionKey from "./journal/sessionKey.js"
import { breathe, inSteps } from "./journal/steps.js"
import type { Hint } from "./options/Hint.js"
import { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import { shown } from "./options/shown.js"
import * as together from "./options/together.js"
import type { ClientEvent } from "./protocol/ClientEvent.js"
import type { ItemParam } from "./protocol/ItemParam.js"
import { RealtimeModel } from "./RealtimeModel.js"
import {
  AgentUnknown,
  ApprovalNotPending,
  type EditInvalid,
  type HandoffSuperseded,
  type SessionClosed,
  SessionError,
  type SettingsInvalid,
  type SettingsRejected,
  type SettingsTimedOut
} from "./SessionError.js"
import type { AudioChunk, Failure, SessionEvent } from "./SessionEvent.js"
import { SessionJournal } from "./SessionJournal.js"
import type {
  Answer,
  AnswerPart,
  Ask,
  AskError,
  AskOptions,
  AskStream,
  AskStreamOptions
} from "./session/answers/Answer.js"
import { askStreamWith, askWith } from "./session/answers/ask.js"
import type { PendingApproval } from "./session/calls/CallApprovals.js"
import { editsBetween } from "./session/conversation/edit.js"
import { putItem, userText } from "./session/conversation/putItem.js"
import * as Ids from "./session/Ids.js"
import * as Loop from "./session/Loop.js"
import { defaults, type Options, resolve } from "./session/options.js"
import { type Beginning, Parts } from "./session/Parts.js"
import type { Live } from "./session/publishing/Live.js"
import type { Subscribe, SubscribeOptions, SubscribeScoped } from "./session/publishing/Subscription.js"
import * as Subscription from "./session/publishing/Subscription.js"
import { Tap } from "./session/publishing/Tap.js"
import * as Recorder from "./session/Recorder.js"
import { type RequestResponse, requestResponseWith } from "./session/requestResponse.js"
import { sendRaw } from "./session/sendRaw.js"
import { carriedOver } from "./session/settings/carriedOver.js"
import { configure } from "./session/settings/configure.js"
import { merge } from "./session/settings/merge.js"
import { teamSettings } from "./session/team/teamSettings.js"
import * as conventions from "./session/telemetry/conventions.js"
import * as Spans from "./session/telemetry/Spans.js"
import { tagOf } from "./session/telemetry/tagOf.js"
import type { Usage } from "./session/Usage.js"
import type { ToolError } from "./ToolError.js"
import type { Decision } from "./tool/settle.js"

export { defaultReconnect, defaults, type Options } from "./session/options.js"
export type {
  Answer,
  AnswerPart,
  Ask,
  AskError,
  AskOptions,
  AskStream,
  AskStreamOptions,
  Live,
  PendingApproval,
  RequestResponse,
  Subscribe,
  SubscribeOptions,
  SubscribeScoped,
  Usage
}

/**
 * A live session, whose tools fail with `E`.
 *
 * Commands return once they were carried out on this side; those that the server confirms wait for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Session<out E = never> {
  readonly id: string
  /**
   * Everything that happens. The first subscriber sees it from the session's start, later ones from when they come. One
   * that is slow delays nothing: beyond its buffer, events are dropped for it, and `EventsMissed` says how many.
   */
  readonly events: Stream.Stream<SessionEvent<E>>
  /** As `events`, for a subscriber with a buffer of its own size, that catches up after a lag or is ended by it. */
  readonly subscribe: Subscribe<E>
  /**
   * As `subscribe`, but live once the effect returns: the stream gives all that happens from then on, whenever it is run.
   * It ends with the scope. Run it once.
   */
  readonly subscribeScoped: SubscribeScoped<E>
  /** Of the events, those that tell of something going wrong. */
  readonly errors: Stream.Stream<Failure<E>>
  /**
   * What the model says, as it comes: faster than it is heard. Nothing comes of a response after it was interrupted; on
   * `AudioInterrupted`, the player drops what it still holds of that part.
   */
  readonly audio: Stream.Stream<AudioChunk>
  /** The conversation as the server has it: the same object until something changes. */
  readonly conversation: Live<Conversation>
  /** The calls that wait for `approve` or `reject`. */
  readonly pendingApprovals: Live<ReadonlyArray<PendingApproval>>
  /**
   * Asks the model, and waits for the whole answer: text is said as the user. After tool calls, what the model says next
   * belongs to the answer. The answer is complete when the model has generated it and guardrails have read it; its audio
   * may still be playing.
   *
   * Interrupting the effect only ends the waiting: the model goes on. `session.interrupt` stops it, and the effect then
   * fails with `AnswerInterrupted`.
   */
  readonly ask: Ask<E>
  /** As `ask`, with the answer as it comes; the last part is the whole. The question is asked when the stream is run. */
  readonly askStream: AskStream<E>
  /** Says something as the user, and asks the model to answer. Returns the id of the item: the response's `cause` has it. */
  readonly sendText: (text: string) => Effect.Effect<string, SessionClosed>
  /**
   * Makes the conversation another one: the function gets it as it is now, and says what it should be. Items that are
   * left out are deleted, new, changed or moved ones are created where they stand: audio as its transcript or, of the
   * user's that has none, as it was said. Where one would be lost by that, nothing is done: `EditInvalid` names all of
   * these. Asks for nothing.
   */
  readonly editConversation: (
    edit: (conversation: Conversation) => Conversation
  ) => Effect.Effect<void, EditInvalid | SessionClosed>
  /** Puts an item into the conversation, and asks for nothing. Returns its id. */
  readonly sendMessage: (item: ItemParam) => Effect.Effect<string, SessionClosed>
  /**
   * Asks the model to speak. Without parameters, such requests coalesce; with parameters, each is a response of its own,
   * in order. `conversation: "none"` runs beside the conversation. Of the 16 pairs of metadata that the protocol allows,
   * one is the session's own.
   */
  readonly requestResponse: RequestResponse
  /**
   * Sends what the user says, in the session's input format (by default 16 bit signed little-endian PCM, mono, 24,000
   * samples a second), in chunks of any size. Half a sample is refused.
   */
  readonly sendAudio: (
    bytes: Uint8Array | Hint<"Audio.encodePcm16 makes bytes of samples">
  ) => Effect.Effect<void, InvalidAudio | SessionClosed>
  /** Ends the user's turn. Without turn detection (push-to-talk), the model is asked to answer. */
  readonly commitAudio: Effect.Effect<void, SessionClosed>
  /** Drops the audio that was sent and not committed. */
  readonly clearAudio: Effect.Effect<void, SessionClosed>
  /**
   * Tells what was really heard of a part: from then on the application's word counts for it, in place of an estimate.
   * `heardMs` counts from the beginning of the part; `"finished"` is its end.
   */
  readonly reportPlayback: (
    itemId: string,
    contentIndex: number,
    heardMs: number | "finished"
  ) => Effect.Effect<void, SessionClosed>
  /** Stops what the model is saying, or is about to say, and the tools that want to be stopped with it. */
  readonly interrupt: Effect.Effect<void, SessionClosed>
  /** `always`: also later calls of this tool by the same agent, until the session ends. */
  readonly approve: (
    callId: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, ApprovalNotPending | SessionClosed>
  /** `reason` is what the model reads. Default: "the application refused it." */
  readonly reject: (
    callId: string,
    reason?: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, ApprovalNotPending | SessionClosed>
  /** The tokens that the session's responses have used so far, all together. */
  readonly usage: Live<Usage>
  /** The name of the agent that has the conversation. */
  readonly agent: Live<string>
  /**
   * Gives the conversation to another agent: any that a handoff leads to, or that was wired with the first. Waits until
   * the server has its settings.
   */
  readonly updateAgent: (
    name: string
  ) => Effect.Effect<
    void,
    AgentUnknown | HandoffSuperseded | SettingsInvalid | SettingsRejected | SettingsTimedOut | SessionClosed
  >
  /** Changes settings, and waits for the server to confirm them. */
  readonly updateConfig: (
    settings: Agent.Settings
  ) => Effect.Effect<void, SettingsInvalid | SettingsRejected | SettingsTimedOut | SessionClosed>
  /**
   * Sends a client event as it is, past the session's own bookkeeping: a request for a response made so is nobody's. An
   * item without an id is given one, so that another connection is told it too.
   */
  readonly send: (event: ClientEvent) => Effect.Effect<void, SessionClosed>
  /** Ends with the session: in success after `close`, else with what ended it. */
  readonly await: Effect.Effect<void, SessionError | ToolError<E>>
  /** Ends the session and waits until nothing of it is left. */
  readonly close: Effect.Effect<void>
}

/**
 * Connects an agent to the model. Ready when the server has confirmed the agent's instructions and tools; ends with the
 * scope.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { Agent, OpenAiRealtime, Session } from "effect-realtime"
 *
 * const agent = Agent.make("Greeter", { instructions: "Greet the caller." })
 *
 * export const program = Effect.gen(function* () {
 *   const session = yield* Session.make(agent)
 *   yield* session.sendText("Hello!")
 *   yield* session.events.pipe(
 *     Stream.takeUntil((event) => event._tag === "ResponseDone"),
 *     Stream.runForEach((event) => Effect.log(event._tag))
 *   )
 * }).pipe(Effect.scoped, Effect.provide(OpenAiRealtime.layerConfig()))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R>(
  agent: Agent.Agent<E, R> | Hint<"Connect it with the agents that it names: Agent.wire">,
  options: Options<NoInfer<E>> = {}
): Effect.Effect<Session<E>, SessionError, Scope.Scope | RealtimeModel | R> =>
  Effect.gen(function* () {
    if (!Agent.isAgent(agent)) return yield* notAnAgent(agent)
    yield* Rule.validate("Session.make", rules.session, options, together.session(defaults))
    yield* checkName(options.sessionId)
    const newId = yield* Ids.make
    const sessionId = options.sessionId ?? newId("ses")
    const journal = yield* Effect.serviceOption(SessionJournal)
    const begun = Option.isNone(journal)
      ? { writing: undefined, unwritten: undefined }
      : yield* beginJournal(journal.value, sessionId, options.journal ?? defaults.journal)
    return yield* start({ sessionId, newId, agent, beginner: agent, owners: [], ...begun }, undefined, options)
  }).pipe(releaseOnFailure)

const notAnAgent = (agent: unknown) =>
  new OptionsInvalid({
    of: "Session.make",
    problems: [{ option: "agent", value: shown(agent), message: "`agent` should be made with Agent.make." }]
  })

/** So many items take some milliseconds to be taken up. */
const longConversation = 1000

/** It is to name a journal too, in any storage. */
const checkName = (sessionId: string | undefined): Either.Either<void, OptionsInvalid> =>
  sessionId === undefined
    ? Either.void
    : Either.mapBoth(sessionKey.encode(sessionId), {
        onLeft: (message) =>
          new OptionsInvalid({
            of: "Session.make",
            problems: [
              { option: "sessionId", value: shown(sessionId), message: `\`sessionId\` cannot be used. ${message}` }
            ]
          }),
        onRight: () => undefined
      })

/** Whoever has the session, or has had it, is in the way of a new one; a storage that fails, only where it is required. */
const beginJournal = (journal: Service, sessionId: string, mode: "required" | "preferred") =>
  Recorder.open(journal, sessionId, Recorder.openWithinMs.new).pipe(
    Effect.filterOrFail(
      ({ writer }) => writer.isNew,
      () => new JournalExists({ sessionId })
    ),
    Effect.map((writing) => ({ writing, unwritten: undefined })),
    Effect.catchTag("JournalFailed", (error) =>
      mode === "required" ? Effect.fail(error) : Effect.succeed({ writing: undefined, unwritten: error.message })
    )
  )

/**
 * Takes up a session that another process left: one that crashed, was killed, or was closed. The conversation is told to
 * the model again; a call that was open is answered: its output sent again if there was one, its handler run if it never
 * was or if the tool is `idempotent`, and else it has failed with `ToolInterrupted`, for its effect is not known.
 *
 * The agent is the one that the session was made with; of its team, the one that had the conversation has it again. What
 * waited for approval waits again: `pendingApprovals` says it to whoever comes, also after it was published.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resume = <E, R>(
  agent: Agent.Agent<E, R>,
  sessionId: string,
  options: Omit<Options<NoInfer<E>>, "sessionId"> = {}
): Effect.Effect<
  Session<E>,
  SessionError | JournalNotFound | AgentUnknown,
  Scope.Scope | RealtimeModel | SessionJournal | R
> =>
  Effect.gen(function* () {
    yield* Rule.validate("Session.resume", rules.session, options, together.session(defaults))
    const journal = yield* SessionJournal
    const opened = yield* Recorder.open(journal, sessionId, Recorder.openWithinMs.known)
    const writing = yield* Recorder.load(opened, yield* journal.read(sessionId))
    const recovered = yield* inSteps(writing.fold.recovering())
    if (recovered.items.length > longConversation) yield* breathe
    const agents = Agent.reachable(agent)
    const name = recovered.agent ?? agent.name
    const beginner = agents.find((one) => one.name === name)
    if (beginner === undefined)
      return yield* new AgentUnknown({ agent: name, available: agents.map((one) => one.name) })
    const owners = recovered.openCalls.map((call) => call.agent)
    const newId = yield* Ids.make
    return yield* start(
      { sessionId, newId, agent, beginner, owners, writing, unwritten: undefined },
      recovered,
      options
    )
  }).pipe(releaseOnFailure)

const start = <E, R>(
  beginning: Beginning<E, R>,
  recovered: Recovered | undefined,
  options: Options<E>
): Effect.Effect<Session<E>, SessionError, Scope.Scope | RealtimeModel | R> =>
  Effect.gen(function* () {
    const { agent } = beginning
    yield* Agent.validate(agent)
    const settings = yield* teamSettings(agent, options)
    const model = yield* RealtimeModel
    const context = yield* Effect.context<R>()
    const tracing = yield* Spans.tracing(
      `invoke_agent ${agent.name}`,
      conventions.ofSession(agent.name, beginning.sessionId, options.model)
    )
    const session = new Parts(beginning, resolve(options, settings), {
      // Bounded by the provider, also where the caller can not be interrupted.
      connect: Effect.interruptible(model.connect({ model: options.model })),
      scope: yield* Effect.scope,
      clock: yield* Effect.clock,
      tracing,
      metricLabels: yield* FiberRef.get(FiberRef.currentMetricLabels),
      listeners: options,
      tap: yield* Tap
    })
    const { telemetry } = session
    const failed = (cause: Cause.Cause<unknown>) => Effect.sync(() => telemetry.close(tagOf(cause)))
    const starting = Effect.onError(Loop.start(session), (cause) => failed(cause))
    const loop = yield* tracing === undefined ? starting : Effect.withParentSpan(starting, tracing.session)

    const { approvals, asking, calls, configuration, conversation, live, newId, outbox, publisher, responses, team } =
      session
    // What the agent is now wins over what it was; what else was changed stays changed.
    const { instructions, tools, ...offered } = team.current.settings
    const carried = { ...merge(offered, carriedOver(recovered?.settings ?? {}, tools)), instructions, tools }
    yield* Effect.zipRight(
      configure(session, () => carried),
      begun(session)
    ).pipe(
      Effect.catchTag("SessionClosed", () => Effect.zipRight(endOf(loop), Effect.interrupt)),
      Effect.onError((cause) => failed(cause))
    )
    if (recovered !== undefined) yield* Effect.ignore(asking.command(() => session.continuity.resume(recovered)))

    const decide = (callId: string, decision: Decision, always = false) =>
      asking.ask<void, ApprovalNotPending>((reply) => {
        const isDecided = approvals.decide(callId, decision, always)
        reply(isDecided ? Exit.void : Exit.fail(new ApprovalNotPending({ callId })))
      })
    const { subscribe, subscribeScoped } = Subscription.make(session)

    return {
      id: session.id,
      get events() {
        return subscribe()
      },
      subscribe,
      subscribeScoped,
      get errors() {
        return publisher.errors
      },
      get audio() {
        return publisher.audio
      },
      get conversation() {
        return live.make(
          () => conversation.snapshot(),
          () => conversation.version()
        )
      },
      get pendingApprovals() {
        return live.make(
          () => approvals.pending(),
          () => approvals.version()
        )
      },
      get usage() {
        return live.make(() => responses.usage())
      },
      get agent() {
        return live.make(() => session.agent)
      },
      ask: askWith(session),
      askStream: askStreamWith(session),
      sendText: (text) =>
        asking.command(() => {
          const id = putItem(session, userText(text))
          responses.askAbout(id)
          return id
        }),
      editConversation: (edit) =>
        Effect.flatten(
          asking.command(() => {
            const before = conversation.snapshot()
            return Either.map(editsBetween(before, edit(before), newId, session.turnAudio), (events) => {
              for (const event of events) outbox.send(event)
            })
          })
        ),
      sendMessage: (item) => asking.command(() => putItem(session, item)),
      requestResponse: requestResponseWith(session),
      sendAudio: (bytes) => session.inputAudio.send(bytes),
      get commitAudio() {
        return asking.command(() => {
          calls.turnBegan()
          // The model is not to answer before it has heard what waits for the network.
          session.inputAudio.commit(() => {
            if (!configuration.detectsTurns()) responses.ask([])
          })
        })
      },
      get clearAudio() {
        return asking.command(() => session.inputAudio.clear())
      },
      reportPlayback: (itemId, contentIndex, heardMs) =>
        asking.command(() =>
          session.speech.reported(
            itemId,
            contentIndex,
            heardMs === "finished" ? { _tag: "Finished" } : { _tag: "Heard", heardMs }
          )
        ),
      get interrupt() {
        return asking.command(() => {
          responses.interrupt()
          session.speech.interrupt()
          calls.interrupt()
        })
      },
      approve: (callId, options) => decide(callId, { _tag: "Approved" }, options?.always),
      reject: (callId, reason = "the application refused it.", options) =>
        decide(callId, { _tag: "Rejected", reason, by: "decision" }, options?.always),
      updateAgent: (name) => Effect.provide(team.transferTo(name), context),
      updateConfig: (settings) => configure(session, () => configuration.completed(settings)),
      send: (event) => asking.command(() => sendRaw(session, event)),
      await: loop.await,
      close: loop.close
    }
  })

/** The server has what the session begins with: from now on the session outlives its connection. */
const begun = (session: Parts): Effect.Effect<void, SessionClosed> =>
  session.asking.command(() => {
    session.connections.begun()
    session.telemetry.sessionStarted()
    session.outbox.publish({ _tag: "SessionStarted", sessionId: session.id, agent: session.agent })
  })

/** Why the session ended before it began. No call was made yet, so it was no tool. */
const endOf = <E>(loop: Loop.Loop<E>): Effect.Effect<void, SessionError> =>
  Effect.catchAll(loop.await, (error) => (isSessionError(error) ? Effect.fail(error) : Effect.die(error)))

const isSessionError = Schema.is(SessionError)
