import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Ledger from "../machine/CallLedger.js"
import * as Conversation from "../machine/Conversation.js"
import type * as Scheduler from "../machine/ResponseScheduler.js"
import type { ServerFrame } from "../protocol/Codec.js"
import { ServerFailed, type SessionError } from "../SessionError.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import type { Describe, ToolError } from "../ToolError.js"
import { systemEvent } from "./calls/Answer.js"
import * as Approvals from "./calls/Approvals.js"
import type { Report } from "./calls/CallFiber.js"
import * as Calls from "./calls/Calls.js"
import * as HostedCalls from "./calls/HostedCalls.js"
import type { OutputLimit } from "./calls/OutputLimit.js"
import * as Continuity from "./connection/Continuity.js"
import * as InputAudio from "./connection/InputAudio.js"
import type { Line } from "./connection/Link.js"
import type { Outbox } from "./connection/Outbox.js"
import * as Cuts from "./conversation/Cuts.js"
import * as Edits from "./conversation/Edits.js"
import * as Hearing from "./conversation/Hearing.js"
import type { Limits } from "./conversation/replay.js"
import * as Transcripts from "./conversation/Transcripts.js"
import * as TurnAudio from "./conversation/TurnAudio.js"
import * as Guardrails from "./guardrails/Guardrails.js"
import { publishJudged } from "./guardrails/judge.js"
import type { Recorder } from "./Recorder.js"
import * as Responses from "./Responses.js"
import { route } from "./routing/route.js"
import type { Spans } from "./Spans.js"
import * as Speech from "./Speech.js"
import * as Configuration from "./settings/Configuration.js"
import type { Offer } from "./team/Offer.js"

/** Milliseconds. */
export interface Options {
  /** The model that was asked for; absent where the provider chooses. */
  readonly model: string | undefined
  readonly describe: Describe
  /** Whether server events of this type are published as they come, too. */
  readonly wantsRaw: (type: string) => boolean
  readonly outputLimit: OutputLimit
  readonly ledger: Ledger.Options
  readonly scheduler: Omit<Scheduler.Options, "serverReplies" | "speaks">
  /** Whether settings that make the model call something hold for the beginning of a turn, or for each reply. */
  readonly forcedToolChoice: "once" | "each"
  readonly approvalTimeout: number
  /** The time of a hosted call, from where it may run. */
  readonly hostedCallTimeout: number
  readonly maxOpenCalls: number
  readonly maxPendingApprovals: number
  /** How many bytes of what the model says are kept; absent where none are. */
  readonly keptAudioBytes: number | undefined
  readonly replay: Limits
  /** How much audio of the user's turns without a transcript is kept, and whether the journal has it too. */
  readonly turnAudio: { readonly maxBytes: number; readonly journal: boolean }
  /** How many changes of the conversation may wait for a connection. */
  readonly controlCapacity: number
  /** How long the server may take to acknowledge an item. */
  readonly acknowledgedWithin: number
  readonly inputAudio: Pick<InputAudio.Environment, "maxSeconds" | "maxBufferedBytes">
}

export interface Environment<E, R> {
  readonly sessionId: string
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Milliseconds since 1970, for what is said of when something is. */
  readonly timeOfDay: () => number
  readonly newId: (prefix: string) => string
  readonly outbox: Outbox<SessionEvent<E>, SessionError | ToolError<E>, R>
  readonly spans: Spans
  readonly line: Line
  readonly recorder: Recorder
  readonly isEnded: () => boolean
  /** Time passes for the handlers before their deadline. */
  readonly wake: () => void
  readonly offer: () => Offer<E, R>
  readonly offerOf: (agent: string) => Offer<E, R> | undefined
  readonly play: (chunk: AudioChunk) => void
  /** What fibers have to say comes back through the mailbox. */
  readonly report: (callId: string, report: Report<E>) => void
  readonly tell: (callId: string, report: Report<E>) => Effect.Effect<void>
  readonly judged: (report: Guardrails.Report) => void
}

/** Who handles what happens to a session: each has one machine or one concern, and they speak to each other here. */
export interface Handlers<E, R> extends Continuity.Continuity {
  readonly calls: Calls.Calls<E, R>
  readonly hostedCalls: HostedCalls.HostedCalls
  readonly approvals: Approvals.Approvals
  readonly responses: Responses.Responses
  readonly configuration: Configuration.Configuration
  readonly speech: Speech.Speech
  readonly guardrails: Guardrails.Guardrails
  readonly conversation: Conversation.ConversationMirror
  readonly edits: Edits.Edits
  readonly cuts: Cuts.Cuts
  readonly hearing: Hearing.Hearing
  readonly inputAudio: InputAudio.InputAudio
  readonly turnAudio: TurnAudio.TurnAudio
  readonly transcripts: Transcripts.Transcripts
  readonly received: (frame: ServerFrame) => void
  /** Nothing is under way that would suffer from a change of the connection. */
  readonly isQuiet: () => boolean
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export const make = <E, R>(options: Options, env: Environment<E, R>): Handlers<E, R> => {
  const { newId, now, outbox, spans } = env
  const { approvalTimeout } = options
  const { publish, run, send } = outbox
  const askToGoOn = (awaiting: ReadonlyArray<string>): void => responses.ask(awaiting)

  const conversation = Conversation.make(options.keptAudioBytes)
  const isOnline = (): boolean => env.line.connection() !== undefined
  const edits = Edits.make({
    now,
    isOnline,
    capacity: options.controlCapacity,
    within: options.acknowledgedWithin,
    overdue: (itemId, afterMs) => publish({ _tag: "ItemUnacknowledged", itemId, afterMs })
  })
  const isApprovalFull = (): boolean => approvals.pending().length >= options.maxPendingApprovals
  const calls: Calls.Calls<E, R> = Calls.make({
    ...env,
    approvalTimeout,
    maxOpenCalls: options.maxOpenCalls,
    isApprovalFull,
    ledger: options.ledger,
    describe: options.describe,
    outputLimit: options.outputLimit,
    epoch: env.line.epoch,
    isToldAgain: (callId) => continuity.isToldAgain(callId),
    recordsCalls: env.recorder.isOn,
    askToGoOn,
    say: (text) => responses.request({ instructions: `Tell the caller, in a few words: ${text}`, tool_choice: "none" })
  })
  const hostedCalls: HostedCalls.HostedCalls = HostedCalls.make({
    agent: () => env.offer().agent.name,
    approvalTimeout,
    callTimeout: options.hostedCallTimeout,
    now,
    timeOfDay: env.timeOfDay,
    newId,
    send,
    publish,
    isFull: isApprovalFull,
    step: calls.hosted,
    hasEnded: calls.hasEnded
  })
  const approvals = Approvals.make(calls, hostedCalls)
  const responses = Responses.make(
    {
      ...options.scheduler,
      serverReplies: () => configuration.serverReplies(),
      speaks: () => configuration.speaks()
    },
    {
      now,
      newId,
      send,
      publish,
      spans,
      toolChoice: () => {
        const turn = calls.turn()
        if (turn === "Spent") return "none"
        return turn === "Called" && options.forcedToolChoice === "once" && configuration.forcesCalls()
          ? "auto"
          : undefined
      },
      began: (responseId, outOfBand) => {
        calls.responseBegan(responseId)
        conversation.began(responseId)
        speech.responseCreated(responseId, outOfBand)
      },
      cancelled: (responseId) => speech.cancelled(responseId),
      ended: (responseId, end) => {
        hostedCalls.responseEnded(responseId, end)
        calls.responseEnded(responseId, end)
      },
      lost: () => hearing.owed(),
      carryOn: calls.carryOn
    }
  )
  const configuration = Configuration.make({
    newId,
    send,
    model: options.model,
    hasSpoken: () => speech.hasSpoken()
  })
  const hearing = Hearing.make({ now, recorder: env.recorder, conversation, speech: () => speech })
  const { recorder } = hearing
  const cuts = Cuts.make({
    conversation,
    recorder,
    publish,
    cutShort: (itemId, contentIndex, how) => speech.cutShort(itemId, contentIndex, how),
    tell: (item) => continuity.correct(item)
  })
  const speech: Speech.Speech = Speech.make({
    now,
    newId,
    send,
    publish,
    play: env.play,
    record: ({ content_index, item_id }, bytes, format) => conversation.record(item_id, content_index, bytes, format),
    recorded: ({ content_index, item_id }) => conversation.recorded(item_id, content_index),
    goesOn: hearing.goesOn,
    settled: hearing.settled,
    cuts,
    isOutOfBand: (responseId) => responses.isOutOfBand(responseId),
    format: configuration.outputFormat
  })
  const transcripts = Transcripts.make({
    now,
    isTranscribed: configuration.transcribes,
    missing: (itemId) => guardrails.notHeard(itemId)
  })
  const turnAudio = TurnAudio.make({
    publish,
    format: configuration.inputFormat,
    maxBytes: options.turnAudio.maxBytes,
    recorder,
    isWritten: options.turnAudio.journal
  })
  const inputAudio = InputAudio.make({
    ...options.inputAudio,
    maxTurnBytes: options.turnAudio.maxBytes,
    heard: turnAudio.heard,
    now,
    newId,
    publish,
    run,
    transmit: send,
    connection: env.line.connection,
    isEnded: env.isEnded,
    wake: env.wake,
    format: configuration.inputFormat,
    detectsTurns: configuration.detectsTurns
  })

  /** Stops what must not stand. Whether there is anything left for the model to mend. */
  const stop = (subject: Guardrails.Subject, guardrail: string, isLatestTurn: boolean): boolean => {
    if (subject._tag === "User") {
      // What answers a later turn is not to be stopped for what was said before.
      if (!isLatestTurn) return false
      // The user's words are answered by what is under way, or about to be; also by what is generated, and still heard.
      speech.interrupt(guardrail)
      responses.interrupt()
      return true
    }
    const { kind, outOfBand, responseId } = subject
    // Text stands until the user goes on; of audio, what was heard can not be taken back.
    const stands = kind === "Text" && isLatestTurn && speech.accepts(responseId)
    const wasUnheard = speech.cancelled(responseId, guardrail, stands)
    const wasActive = responses.cancel(responseId)
    return !outOfBand && (wasActive || wasUnheard || stands)
  }
  const guardrails = Guardrails.make<E, R>({
    offerOf: calls.offerOf,
    run,
    report: env.judged,
    publish: (judged) => publishJudged(judged, publish),
    isOutOfBand: (responseId) => responses.isOutOfBand(responseId),
    tripped: (subject, { feedback, guardrail }, isLatestTurn) => {
      if (!stop(subject, guardrail, isLatestTurn)) return
      const id = newId("itm")
      send(systemEvent(id, feedback))
      askToGoOn([id])
    }
  })

  const handlers = {
    calls,
    hostedCalls,
    approvals,
    responses,
    configuration,
    speech,
    guardrails,
    conversation,
    edits,
    cuts,
    inputAudio,
    turnAudio,
    transcripts,
    hearing
  }
  const continuity: Continuity.Continuity = Continuity.make(handlers, {
    newId,
    limits: options.replay,
    recorder,
    line: env.line,
    send,
    sendOn: outbox.sendOn,
    afterwards: outbox.afterwards,
    publish,
    end: outbox.end
  })
  const destinations = {
    ...handlers,
    publish,
    wantsRaw: options.wantsRaw,
    recorder,
    agent: () => env.offer().agent.name,
    isReplayed: continuity.isReplayed,
    replayRefused: continuity.refused,
    isResent: continuity.isResent,
    lost: env.line.lost,
    note: (message: string) => run(Effect.logDebug(message)),
    fatal: (error: { readonly code?: string | null | undefined; readonly message: string }) =>
      outbox.end(Exit.fail(new ServerFailed({ code: error.code ?? undefined, reason: error.message })))
  }
  return {
    ...handlers,
    ...continuity,
    received: (frame) => route(frame, destinations),
    isQuiet: () =>
      responses.isIdle() &&
      configuration.isSettled() &&
      edits.isEmpty() &&
      inputAudio.isIdle() &&
      transcripts.isIdle() &&
      !speech.isPlaying() &&
      hostedCalls.isIdle(),
    deadline: () =>
      earliest(
        responses.deadline(),
        calls.deadline(),
        hostedCalls.deadline(),
        edits.deadline(),
        inputAudio.deadline(),
        transcripts.deadline(),
        hearing.deadline()
      ),
    timePassed: () => {
      responses.timePassed()
      calls.timePassed()
      hostedCalls.timePassed()
      edits.timePassed()
      inputAudio.timePassed()
      transcripts.timePassed()
      hearing.timePassed()
    }
  }
}

export const earliest = (...times: ReadonlyArray<number | undefined>): number | undefined => {
  let first: number | undefined
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time
  return first
}
