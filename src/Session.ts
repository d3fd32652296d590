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
  type SessionError,
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
import type { OpenCall } from "./session/calls/RunningCalls.js"
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
  OpenCall,
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
 * Commands return once they are carried out on this side. Those that the server confirms wait for its confirmation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Session<out E = never> {
  readonly id: string
  /**
   * All events from the moment that you subscribe. The first subscriber also gets those since the start of the session:
   * the first 256, or `subscriberCapacity` if that is less, and none if the session has `onEvent`. A slow subscriber
   * delays nothing: when its buffer is full, it loses events, and `EventsMissed` says how many.
   */
  readonly events: Stream.Stream<SessionEvent<E>>
  /** Like `events`, with your own buffer size, and a choice of what happens when the subscriber is too slow. */
  readonly subscribe: Subscribe<E>
  /**
   * Like `subscribe`, but live once the effect returns: the stream gives all events from then on, whenever you run it.
   * It ends with the scope. Run it only once.
   */
  readonly subscribeScoped: SubscribeScoped<E>
  /** The events that report that something went wrong. */
  readonly errors: Stream.Stream<Failure<E>>
  /**
   * The model's audio as it arrives, which is faster than real time. After an interruption, nothing more of that
   * response comes. On `AudioInterrupted`, the player must drop what it still holds of that part.
   */
  readonly audio: Stream.Stream<AudioChunk>
  /** The conversation as the server has it. It is the same object until something changes. */
  readonly conversation: Live<Conversation>
  /**
   * The calls that have no result yet, in order of arrival: for example, to end a session when no tool is at work. Calls
   * of hosted MCP tools are not among them.
   */
  readonly openCalls: Live<ReadonlyArray<OpenCall>>
  /** The calls that wait for `approve` or `reject`. */
  readonly pendingApprovals: Live<ReadonlyArray<PendingApproval>>
  /**
   * Sends text as the user, and waits for the model's whole answer. What the model says after tool calls belongs to the
   * answer. The answer is complete when the model has generated it and the guardrails have checked it; its audio may
   * still be playing.
   *
   * Interrupting the effect only ends the waiting: the model goes on. `session.interrupt` stops the model, and the
   * effect then fails with `AnswerInterrupted`.
   */
  readonly ask: Ask<E>
  /**
   * Like `ask`, but gives the answer as it arrives; the last part is the whole answer. Running the stream asks the
   * question.
   */
  readonly askStream: AskStream<E>
  /**
   * Says something as the user, and asks the model to answer. Returns the id of the item, which the response's `cause`
   * names. With an `id` of your own, the words are said once, however often they are sent: if the conversation has an
   * item of this id, or is about to, nothing happens. This also holds in a resumed session. OpenAI takes ids of at most
   * 32 characters.
   */
  readonly sendText: (text: string, options?: { readonly id?: string }) => Effect.Effect<string, SessionClosed>
  /**
   * Edits the conversation: the function gets the current items, and returns the items that there should be. Items that
   * are left out are deleted; new, changed or moved items are created in their place. Audio is created as its
   * transcript, or if it is the user's and has none, as audio. If an item would be lost, nothing is done, and
   * `EditInvalid` names all such items. Does not ask for a response.
   */
  readonly editConversation: (
    edit: (conversation: Conversation) => Conversation
  ) => Effect.Effect<void, EditInvalid | SessionClosed>
  /** Adds an item to the conversation, and does not ask for a response. Returns the id of the item. */
  readonly sendMessage: (item: ItemParam) => Effect.Effect<string, SessionClosed>
  /**
   * Asks the model for a response. Requests without parameters coalesce; each request with parameters gets its own
   * response, in order. A response with `conversation: "none"` runs outside the conversation. The protocol allows 16
   * pairs of metadata, and the session uses one of them.
   */
  readonly requestResponse: RequestResponse
  /**
   * Sends the user's audio, in the session's input format (by default 16-bit signed little-endian PCM, mono, 24,000
   * samples per second), in chunks of any size. Half a sample is refused.
   */
  readonly sendAudio: (
    bytes: Uint8Array | Hint<"Audio.encodePcm16 makes bytes of samples">
  ) => Effect.Effect<void, InvalidAudio | SessionClosed>
  /** Ends the user's turn. Without turn detection (push-to-talk), the model is asked to answer. */
  readonly commitAudio: Effect.Effect<void, SessionClosed>
  /** Drops the audio that was sent and not committed. */
  readonly clearAudio: Effect.Effect<void, SessionClosed>
  /**
   * Reports how much of a part was really heard. From then on, the report replaces the session's estimate. `heardMs`
   * counts from the beginning of the part; `"finished"` means its end.
   */
  readonly reportPlayback: (
    itemId: string,
    contentIndex: number,
    heardMs: number | "finished"
  ) => Effect.Effect<void, SessionClosed>
  /** Stops what the model is saying or is about to say, and the tools with `onInterrupt: "cancel"`. */
  readonly interrupt: Effect.Effect<void, SessionClosed>
  /** `always`: also approves later calls of this tool by the same agent, until the session ends. */
  readonly approve: (
    callId: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, ApprovalNotPending | SessionClosed>
  /** `reason` is the text that the model reads. Default: "the application refused it." */
  readonly reject: (
    callId: string,
    reason?: string,
    options?: { readonly always?: boolean }
  ) => Effect.Effect<void, ApprovalNotPending | SessionClosed>
  /** The total of tokens that the session's responses have used so far. */
  readonly usage: Live<Usage>
  /** The name of the agent that has the conversation. */
  readonly agent: Live<string>
  /**
   * Hands the conversation to another agent: any that a handoff leads to, or that was wired with the first agent. Waits
   * until the server has the settings of the new agent.
   */
  readonly updateAgent: (
    name: string
  ) => Effect.Effect<
    void,
    AgentUnknown | HandoffSuperseded | SettingsInvalid | SettingsRejected | SettingsTimedOut | SessionClosed
  >
  /**
   * Something has changed: asks again which tools and handoffs the agent offers (its `tools`, if they are an Effect, and
   * each `isEnabled`), and waits until the server has the new list. If the server refuses it, the old one stays. Calls of
   * a tool that is gone are not run, even if the model was offered it; other calls are not disturbed. While another agent
   * takes over, it fails with `HandoffSuperseded`: that agent is asked anyway.
   */
  readonly updateTools: Effect.Effect<
    void,
    HandoffSuperseded | SettingsInvalid | SettingsRejected | SettingsTimedOut | SessionClosed
  >
  /** Changes settings, and waits until the server confirms them. */
  readonly updateConfig: (
    settings: Agent.Settings
  ) => Effect.Effect<void, SettingsInvalid | SettingsRejected | SettingsTimedOut | SessionClosed>
  /**
   * Sends a client event as it is. The session does not track it: a `response.create` sent this way belongs to no
   * request. An item without an id is given one, so that the session can send it again on another connection.
   */
  readonly send: (event: ClientEvent) => Effect.Effect<void, SessionClosed>
  /** Waits for the end of the session. Succeeds after `close`; otherwise fails with what ended the session. */
  readonly await: Effect.Effect<void, SessionError | ToolError<E>>
  /** Ends the session, and waits until everything in it has stopped. */
  readonly close: Effect.Effect<void>
}

/**
 * Connects an agent to the model. Returns when the server has confirmed the agent's instructions and tools. The session
 * ends with the scope.
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

/** Restoring so many items takes some milliseconds. */
const longConversation = 1000

/** The id must also be able to name a journal in any storage. */
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

/**
 * Another writer of this journal always stops the new session; a storage that fails stops it only if a journal is
 * required.
 */
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
 * Resumes a session that another process left because it crashed, was killed, or closed the session. The conversation
 * is replayed to the model, and every open call is answered. If the call had an output, it is sent again. If its
 * handler never ran, or the tool is `idempotent`, the handler runs. Otherwise the call fails with `ToolInterrupted`,
 * because its effect is unknown.
 *
 * Pass the agent that the session was made with. The agent of its team that had the conversation has it again. Calls
 * that waited for approval wait again: `pendingApprovals` has them, even for a reader who missed the event.
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
    for (const one of Agent.reachable(agent)) yield* Agent.validateTools(one, one.tools, context)
    const tracing = yield* Spans.tracing(
      `invoke_agent ${agent.name}`,
      conventions.ofSession(agent.name, beginning.sessionId, options.model)
    )
    const session = new Parts(beginning, resolve(options, settings), {
      // The provider limits the time, even if the caller cannot be interrupted.
      connect: (resumption) => Effect.interruptible(model.connect({ model: options.model, resumption })),
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

    const { approvals, asking, calls, configuration, conversation, edits, live, newId, outbox, publisher, responses } =
      session
    const { team } = session
    // The agent's current settings win over its old ones; other changes stay.
    const { instructions, tools, ...offered } = team.current.settings
    const carried = { ...merge(offered, carriedOver(recovered?.settings ?? {}, tools)), instructions, tools }
    yield* configure(session, () => carried).pipe(
      Effect.zipRight(begun(session)),
      Effect.zipRight(
        recovered === undefined
          ? Effect.void
          : Effect.ignore(asking.command(() => session.continuity.resume(recovered)))
      ),
      Effect.zipRight(imported(session)),
      Effect.catchTag("SessionClosed", () => Effect.zipRight(endOf(loop), Effect.interrupt)),
      Effect.onError((cause) => failed(cause))
    )

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
      get openCalls() {
        return live.make(
          () => calls.running.open(),
          () => calls.running.version
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
      sendText: (text, options) =>
        asking.command(() => {
          const known = options?.id
          if (known !== undefined && (edits.has(known) || conversation.idOf(known) !== undefined)) return known
          const id = putItem(session, userText(text, known))
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
          // The model must not answer before it has the audio that still waits for the network.
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
      get updateTools() {
        return Effect.provide(team.updateTools, context)
      },
      updateConfig: (settings) => configure(session, () => configuration.completed(settings)),
      send: (event) => asking.command(() => sendRaw(session, event)),
      await: loop.await,
      close: loop.close
    }
  })

/** The server has the initial settings: from now on, the session outlives its connection. */
const begun = (session: Parts): Effect.Effect<void, SessionClosed> =>
  session.asking.command(() => {
    session.connections.begun()
    session.telemetry.sessionStarted()
    session.outbox.publish({ _tag: "SessionStarted", sessionId: session.id, agent: session.agent })
  })

/** The server has read the tools of hosted servers, or had its time. */
const imported = ({ asking, hostedImports: imports }: Parts): Effect.Effect<void, SessionClosed> =>
  imports === undefined ? Effect.void : asking.ask<void, never>((reply) => imports.whenSettled(() => reply(Exit.void)))

/** Why the session ended before it began. No tool can be the reason, because no call was made yet. */
const endOf = <E>(loop: Loop.Loop<E>): Effect.Effect<void, SessionError> =>
  Effect.catchAll(loop.await, (error) => ("callId" in error ? Effect.die(error) : Effect.fail(error)))
