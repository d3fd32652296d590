import * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type * as Agent from "../Agent.js"
import type * as Ledger from "../machine/CallLedger.js"
import * as Recordings from "../machine/Recordings.js"
import * as Scheduler from "../machine/ResponseScheduler.js"
import type { ServerEvent } from "../protocol/ServerEvent.js"
import type { ConnectError, ConnectionLost, ConnectOptions } from "../RealtimeModel.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import { describe, type ToolError } from "../ToolError.js"
import type { OutputLimit } from "./calls/OutputLimit.js"
import type * as Connections from "./connection/Connections.js"
import type { Limits } from "./conversation/replay.js"
import * as TurnAudio from "./conversation/TurnAudio.js"
import type * as Recorder from "./Recorder.js"

/**
 * Limits are whole numbers from 1 up (in `replay` from 0 up), or `Infinity`. Durations are finite, except for
 * `rolloverAfter`, and at most 24 days. Other values are refused with `OptionsInvalid`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<in E = unknown> extends ConnectOptions {
  /**
   * The session's id in its events, its journal and the `idempotencyKey` of its calls. For example, use the caller's id
   * to find the session again. At most 200 characters; capitals count twice, and characters other than letters, digits,
   * `_` and `-` count five times. Default: a random id.
   */
  readonly sessionId?: string
  /** Settings of the session. They override the agent's own, field by field. */
  readonly settings?: Agent.Settings
  /**
   * What to do if agents ask for different voices, since the voice cannot change once the model has spoken. `"refuse"`:
   * the session fails with `SettingsInvalid`. `"keepFirst"`: all agents get the voice of the first one that asks for
   * one, in the order of the handoffs. A voice in `settings` applies to all agents. Default: `"refuse"`.
   */
  readonly onDifferentVoices?: "refuse" | "keepFirst"
  /**
   * Returns the text that the model reads instead of a result. If `error._tag` is `ToolFailure`, the handler's own
   * failure is `error.failure`. Default: `ToolError.describe`.
   */
  describe?(error: ToolError<E>): string
  /**
   * How much the model reads of one call's output, in characters (UTF-16 code units). Default: 100,000, which is about
   * 25,000 tokens of English, and most of gpt-realtime's context of 32,768 tokens.
   */
  readonly maxOutputLength?: number
  /**
   * What to do with a longer result. `"truncate"`: the model reads its beginning, and how much is missing. `"fail"`:
   * the call fails with `InvalidOutput`. The text of a failure or an acknowledgement is cut in both cases. Default:
   * `"truncate"`.
   */
  readonly onLongOutput?: "truncate" | "fail"
  /** If a response has several calls, ask the model to go on after all of them, or after each. Default: `"all"`. */
  readonly parallelReply?: "all" | "each"
  /**
   * How long a `tool_choice` in the settings that forces calls (`"required"`, or one tool) applies. `"once"`: to the
   * beginning of a turn. After a call, the session asks with `tool_choice: "auto"`, so that the model may speak.
   * `"each"`: to each reply, until `maxCallsPerTurn`. Default: `"once"`.
   */
  readonly forcedToolChoice?: "once" | "each"
  /**
   * How many calls may run after the user last said something. Further calls are not run, and the model is asked for
   * one last reply with `tool_choice: "none"`. Default: 20.
   */
  readonly maxCallsPerTurn?: number
  /**
   * How many calls may be open at a time, including those whose handlers go on after their interruption. Further calls
   * are not run, and fail with `ToolOverloaded`. Default: 64.
   */
  readonly maxOpenCalls?: number
  /** How many calls may wait for approval at a time. Further calls are rejected at once. Default: 32. */
  readonly maxPendingApprovals?: number
  /** How long a call may wait for a decision before it counts as rejected. Default: 2 minutes. */
  readonly approvalTimeout?: Duration.DurationInput
  /**
   * The time limit of a call that the server makes itself (a hosted MCP tool), from when it may run. After that, the
   * model is asked to go on without the result. Default: 1 minute.
   */
  readonly hostedCallTimeout?: Duration.DurationInput
  /**
   * How long a turn waits until the server has read the tools of hosted MCP servers: when the session begins, after a
   * handoff, and on another connection. Default: 10 seconds.
   */
  readonly hostedImportTimeout?: Duration.DurationInput
  /**
   * The time in which the server must confirm settings, and in which an agent's `instructions` and `tools` must end if
   * they are Effects. Default: 10 seconds.
   */
  readonly settingsTimeout?: Duration.DurationInput
  /**
   * How many requests with parameters may wait for their turn, or for an out-of-band response. Further requests fail
   * with `RequestOverflow`. Default: 64.
   */
  readonly maxWaitingRequests?: number
  /**
   * How long a response may take to begin, after a request or after a turn that the server answers by itself, before
   * the session asks again. Default: 10 seconds.
   */
  readonly responseTimeout?: Duration.DurationInput
  /** The longest silence of the server during a response. Default: 30 seconds. */
  readonly silenceTimeout?: Duration.DurationInput
  /**
   * How often a response is requested again if it never begins or falls silent, before `ResponseLost` is published.
   * Default: 2; 0: never.
   */
  readonly maxRetries?: number
  /**
   * The delay before a response is requested again after a temporary failure or refusal (a rate limit, or an error of
   * the server). It doubles each time, up to 8 seconds. If the server names a delay, that is used; if the server then
   * still refuses, the session waits at least as long as before. Default: 1 second.
   */
  readonly retryBackoff?: Duration.DurationInput
  /**
   * For how long a response is requested again after such a failure or refusal, counted from the first one on each
   * connection, before `ResponseLost` is published. If the server names a later time, the response is lost at once.
   * Default: 1 minute, in which OpenAI renews its rate limits; 0: never requested again.
   */
  readonly retryWithin?: Duration.DurationInput
  /**
   * When to connect again after a temporary loss of the connection, and when to give up. `false`: a lost connection
   * ends the session. Default: `defaultReconnect`. Permanent refusals, such as an invalid key, are never retried. If a
   * refusal has a `Retry-After`, up to 60 seconds of it are added to the schedule's delay.
   */
  readonly reconnect?: Schedule.Schedule<unknown, ConnectError | ConnectionLost> | false
  /**
   * The age at which a connection is replaced by a new one, at a quiet moment. OpenAI ends connections after 60
   * minutes. Default: 55 minutes; `Infinity` (as a duration): never.
   */
  readonly rolloverAfter?: Duration.DurationInput
  /**
   * How much of the conversation another connection is sent: the newest items within all three limits. The newest item
   * is sent however long it is, if it fits into one event (15 MiB).
   */
  readonly replay?: {
    /** Default: 256. */
    readonly maxItems?: number
    /**
     * Characters of everything that is sent: texts, arguments and outputs, and the base64 of images and audio (per
     * second, PCM16 has 64,000 characters, and G.711 10,667). Default: 16,000,000.
     */
    readonly maxCharacters?: number
    /** Characters of text. Default: 100,000, which is most of gpt-realtime's context of 32,768 tokens. */
    readonly maxTextCharacters?: number
  }
  /**
   * The audio of the user's turns that have no transcript, or none yet. Another connection is sent the audio in place
   * of the words, so that it knows what the user said. It is dropped when the transcript arrives.
   */
  readonly untranscribedAudio?: {
    /**
     * How much is kept. The oldest turns are dropped first, and `TurnAudioDropped` is published. 0: nothing is kept.
     * Default: 8 MiB, which is 3 minutes of speech in PCM16 (48,000 bytes per second), or 17 minutes in G.711 (8,000).
     * With `journal`, at most three quarters of `journalLag.maxCharacters`.
     */
    readonly maxBytes?: number
    /**
     * Whether the session's journal has it too, so that `Session.resume` can send it from another process. The caller's
     * speech is then on the disk, as audio. When its transcript has arrived, or it was dropped, it is removed at the
     * next compaction of the journal. Default: false: a resume leaves these turns out, and lists them in
     * `SessionResumed.omitted`.
     */
    readonly journal?: boolean
  }
  /** How many items may wait for a connection before the session fails with `OutboundOverflow`. Default: 1,024. */
  readonly controlCapacity?: number
  /**
   * What to do if the `SessionJournal`, if there is one, fails. `"preferred"`: the session goes on, and `JournalFailed`
   * is published, so that a full disk does not end a call. `"required"`: the session does not begin, or ends with that
   * error. No handler runs before its start is written down, so that no tool runs twice. Default: `"preferred"`.
   */
  readonly journal?: "required" | "preferred"
  /**
   * How far the journal may lag behind while it cannot be written. Beyond any of these limits, it is given up. Default:
   * 4,096 records, 16 Mi characters, 30 seconds.
   */
  readonly journalLag?: {
    readonly maxRecords?: number
    readonly maxCharacters?: number
    readonly maxDuration?: Duration.DurationInput
  }
  /**
   * After how many characters of records the journal is compacted: a snapshot replaces the records. If the conversation
   * is longer than this, it takes more. `Infinity`: never. Default: 262,144.
   */
  readonly journalCompactAfter?: number
  /**
   * How much of the user's audio may wait for a connection. The oldest is dropped first, and that is published.
   * Default: 10 seconds.
   */
  readonly inputAudioCapacity?: Duration.DurationInput
  /**
   * How long the server may take to acknowledge an item before `ItemUnacknowledged` is published. Default: 10 seconds.
   */
  readonly acknowledgementTimeout?: Duration.DurationInput
  /** How many events a subscriber may be behind before it misses some. Default: 4,096. */
  readonly subscriberCapacity?: number
  /** How many chunks of audio a reader may be behind before it misses some. Default: 512. */
  readonly audioCapacity?: number
  /**
   * Server events that are also published as they came, as `ServerEventReceived`, before the session's own event:
   * `true` for all, or a list of types. Audio events are published in full, with their base64. Default: `false`, only
   * those that have no session event.
   */
  readonly rawEvents?: boolean | ReadonlyArray<ServerEvent["type"]>
  /**
   * Keeps the model's audio in `session.conversation`, each part cut to what was heard. Beyond `maxBytes` (with `true`,
   * 64 MiB: 23 minutes of PCM16), the oldest audio is dropped and marked. Default: false, no audio is kept.
   */
  readonly keepAudio?: boolean | { readonly maxBytes: number }
  /**
   * Called with each event when it is published. This is the cheapest way to listen, for example to relay events. The
   * session waits for the function, so it must be quick and must not block. If it throws, `InputFailed` is published,
   * and nothing else is affected. With it, no events are kept for the first reader of `events` and `errors`: the
   * streams begin when they are read. Default: none.
   */
  readonly onEvent?: (event: SessionEvent<E>) => void
  /** Like `onEvent`, for each chunk of `audio`. Default: none. */
  readonly onAudio?: (chunk: AudioChunk) => void
}

/**
 * The defaults of the options. Times without a unit are in milliseconds.
 *
 * @since 0.1.0
 * @category options
 */
export const defaults = {
  onDifferentVoices: "refuse",
  maxOutputLength: 100_000,
  onLongOutput: "truncate",
  parallelReply: "all",
  forcedToolChoice: "once",
  maxCallsPerTurn: 20,
  maxOpenCalls: 64,
  maxPendingApprovals: 32,
  approvalTimeout: "2 minutes",
  hostedCallTimeout: "1 minute",
  hostedImportTimeout: "10 seconds",
  settingsTimeout: "10 seconds",
  maxWaitingRequests: 64,
  responseTimeout: Scheduler.defaults.createdWithin,
  silenceTimeout: Scheduler.defaults.eventWithin,
  maxRetries: Scheduler.defaults.maxRetries,
  retryBackoff: Scheduler.defaults.retryBackoff,
  retryWithin: Scheduler.defaults.retryWithin,
  rolloverAfter: "55 minutes",
  replay: { maxItems: 256, maxCharacters: 16_000_000, maxTextCharacters: 100_000 },
  untranscribedAudio: { maxBytes: TurnAudio.defaultMaxBytes, journal: false },
  controlCapacity: 1024,
  journal: "preferred",
  journalLag: { maxRecords: 4096, maxCharacters: 16_777_216, maxDuration: "30 seconds" },
  journalCompactAfter: 262_144,
  inputAudioCapacity: "10 seconds",
  acknowledgementTimeout: "10 seconds",
  subscriberCapacity: 4096,
  audioCapacity: 512,
  rawEvents: false,
  keepAudio: false
} as const satisfies Options

/**
 * The default schedule for connecting again: after about a quarter of a second, with a delay that doubles each time, up
 * to 10 seconds, for two minutes. Each delay varies by up to a fifth, so that the sessions of a restarted server do not
 * all come back at once.
 *
 * @since 0.1.0
 * @category options
 */
export const defaultReconnect: Schedule.Schedule<unknown> = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("10 seconds")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo("2 minutes"))
)

/**
 * When more bytes than this wait for the network, the user's audio waits in the session, where it is limited in time.
 */
export const maxBufferedBytes = 1_048_576

const wantsRawOf = (rawEvents: NonNullable<Options["rawEvents"]>): ((type: string) => boolean) => {
  if (typeof rawEvents === "boolean") return () => rawEvents
  const types: ReadonlySet<string> = new Set(rawEvents)
  return (type) => types.has(type)
}

/** Every option with a value, times in milliseconds: what the parts of a session get. */
export interface Resolved<E = unknown> {
  /** The model that was asked for. Absent: the provider's default. */
  readonly model: string | undefined
  /** Settings that override those of every agent. */
  readonly settings: Agent.Settings
  readonly settingsTimeout: number
  readonly connections: Connections.Options
  /** Whether server events of this type are also published as they came. */
  readonly wantsRaw: (type: string) => boolean
  readonly replay: Limits
  /** How much audio of the user's turns without a transcript is kept, and whether the journal has it too. */
  readonly turnAudio: { readonly maxBytes: number; readonly journal: boolean }
  readonly recording: Recorder.Options
  /** How many changes of the conversation may wait for a connection. */
  readonly controlCapacity: number
  /** How long the server may take to acknowledge an item. */
  readonly acknowledgedWithin: number
  /**
   * How much of the user's audio may wait. The network counts as behind when more bytes than `maxBufferedBytes` wait
   * for it.
   */
  readonly inputAudio: { readonly maxSeconds: number; readonly maxBufferedBytes: number }
  /** Returns the text that the model reads instead of a result. */
  describe(error: ToolError<E>): string
  readonly outputLimit: OutputLimit
  readonly ledger: Ledger.Options
  readonly scheduler: Omit<Scheduler.Options, "serverReplies" | "speaks" | "isHeld">
  /** Whether settings that force calls apply to the beginning of a turn, or to each reply. */
  readonly forcedToolChoice: "once" | "each"
  readonly maxOpenCalls: number
  readonly maxPendingApprovals: number
  readonly maxWaitingRequests: number
  readonly approvalTimeout: number
  /** The time limit of a hosted call, from when it may run. */
  readonly hostedCallTimeout: number
  readonly hostedImportTimeout: number
  readonly subscriberCapacity: number
  readonly audioCapacity: number
  /** How many bytes of the model's audio are kept; absent if none are. */
  readonly keptAudioBytes: number | undefined
}

export const resolve = <E>(options: Options<E>, settings: Agent.Settings): Resolved<E> => {
  const settingsTimeout = Duration.toMillis(options.settingsTimeout ?? defaults.settingsTimeout)
  return {
    model: options.model,
    settings,
    settingsTimeout,
    connections: {
      schedule: options.reconnect === false ? undefined : (options.reconnect ?? defaultReconnect),
      rolloverAfter: Duration.toMillis(options.rolloverAfter ?? defaults.rolloverAfter),
      restoreWithin: settingsTimeout
    },
    wantsRaw: wantsRawOf(options.rawEvents ?? defaults.rawEvents),
    replay: {
      maxItems: options.replay?.maxItems ?? defaults.replay.maxItems,
      maxCharacters: options.replay?.maxCharacters ?? defaults.replay.maxCharacters,
      maxTextCharacters: options.replay?.maxTextCharacters ?? defaults.replay.maxTextCharacters
    },
    turnAudio: {
      maxBytes: options.untranscribedAudio?.maxBytes ?? defaults.untranscribedAudio.maxBytes,
      journal: options.untranscribedAudio?.journal ?? defaults.untranscribedAudio.journal
    },
    recording: {
      mode: options.journal ?? defaults.journal,
      lag: {
        maxRecords: options.journalLag?.maxRecords ?? defaults.journalLag.maxRecords,
        maxCharacters: options.journalLag?.maxCharacters ?? defaults.journalLag.maxCharacters,
        maxDuration: Duration.toMillis(options.journalLag?.maxDuration ?? defaults.journalLag.maxDuration)
      },
      compactAfter: options.journalCompactAfter ?? defaults.journalCompactAfter
    },
    controlCapacity: options.controlCapacity ?? defaults.controlCapacity,
    acknowledgedWithin: Duration.toMillis(options.acknowledgementTimeout ?? defaults.acknowledgementTimeout),
    inputAudio: {
      maxSeconds: Duration.toSeconds(options.inputAudioCapacity ?? defaults.inputAudioCapacity),
      maxBufferedBytes
    },
    describe: options.describe ?? describe,
    outputLimit: {
      maxLength: options.maxOutputLength ?? defaults.maxOutputLength,
      onLong: options.onLongOutput ?? defaults.onLongOutput
    },
    ledger: {
      parallelReply: options.parallelReply ?? defaults.parallelReply,
      maxCallsPerTurn: options.maxCallsPerTurn ?? defaults.maxCallsPerTurn
    },
    scheduler: {
      ...Scheduler.defaults,
      createdWithin: Duration.toMillis(options.responseTimeout ?? defaults.responseTimeout),
      eventWithin: Duration.toMillis(options.silenceTimeout ?? defaults.silenceTimeout),
      maxRetries: options.maxRetries ?? defaults.maxRetries,
      retryBackoff: Duration.toMillis(options.retryBackoff ?? defaults.retryBackoff),
      retryWithin: Duration.toMillis(options.retryWithin ?? defaults.retryWithin)
    },
    forcedToolChoice: options.forcedToolChoice ?? defaults.forcedToolChoice,
    maxOpenCalls: options.maxOpenCalls ?? defaults.maxOpenCalls,
    maxPendingApprovals: options.maxPendingApprovals ?? defaults.maxPendingApprovals,
    maxWaitingRequests: options.maxWaitingRequests ?? defaults.maxWaitingRequests,
    approvalTimeout: Duration.toMillis(options.approvalTimeout ?? defaults.approvalTimeout),
    hostedCallTimeout: Duration.toMillis(options.hostedCallTimeout ?? defaults.hostedCallTimeout),
    hostedImportTimeout: Duration.toMillis(options.hostedImportTimeout ?? defaults.hostedImportTimeout),
    subscriberCapacity: options.subscriberCapacity ?? defaults.subscriberCapacity,
    audioCapacity: options.audioCapacity ?? defaults.audioCapacity,
    keptAudioBytes: Recordings.maxBytesOf(options.keepAudio ?? defaults.keepAudio)
  }
}
