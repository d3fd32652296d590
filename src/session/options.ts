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
 * Limits are whole numbers from 1 on (of `replay` from 0 on), or `Infinity`; durations are finite, but for
 * `rolloverAfter`, and at most 24 days. What is something else is refused with `OptionsInvalid`.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<in E = unknown> extends ConnectOptions {
  /**
   * What the session is called, in its events, its journal and the `idempotencyKey` of its calls: such as the caller's id,
   * to find it again. At most 200 characters, where capitals count twice, and others than letters, digits, `_` and `-`
   * five times. Default: a random name.
   */
  readonly sessionId?: string
  /** Settings of the session: field by field, they win over the agent's own. */
  readonly settings?: Agent.Settings
  /**
   * What becomes of agents that ask for different voices, though a voice is fixed once the model has spoken: the session
   * is refused with `SettingsInvalid`, or all of them have the voice of the first that asks for one, in the order of
   * their handoffs. A voice in `settings` holds for every agent. Default: `"refuse"`.
   */
  readonly onDifferentVoices?: "refuse" | "keepFirst"
  /**
   * Makes the text that the model reads instead of a result. A handler's own failure is `error.failure`, where
   * `error._tag` is `ToolFailure`. Default: `ToolError.describe`.
   */
  describe?(error: ToolError<E>): string
  /**
   * How much the model reads of one call, in characters (UTF-16 code units). Default: 100,000: about 25,000 tokens of
   * English, and most of what gpt-realtime's context of 32,768 tokens holds.
   */
  readonly maxOutputLength?: number
  /**
   * What becomes of a result that is longer: the model reads its beginning, and how much is missing; or it counts as
   * `InvalidOutput`. The text of a failure, or of an acknowledgement, is cut in either case. Default: `"truncate"`.
   */
  readonly onLongOutput?: "truncate" | "fail"
  /** With several calls in one response, ask the model to go on after all of them, or after each. Default: `"all"`. */
  readonly parallelReply?: "all" | "each"
  /**
   * How long a `tool_choice` of the settings that forces calls (`"required"`, or one tool) holds. `"once"`: for the
   * beginning of a turn; after a call, the session asks with `tool_choice: "auto"`, so that the model may speak. `"each"`:
   * for each reply, until `maxCallsPerTurn`. Default: `"once"`.
   */
  readonly forcedToolChoice?: "once" | "each"
  /**
   * Calls since the user last said something, after which further ones are not run, and the model is asked for one last
   * reply with `tool_choice: "none"`. Default: 20.
   */
  readonly maxCallsPerTurn?: number
  /**
   * How many calls may be open at a time, those included whose handlers go on after they were told to stop; one more is
   * answered as `ToolOverloaded`, and not run. Default: 64.
   */
  readonly maxOpenCalls?: number
  /** How many calls may wait for approval at a time; one more is rejected at once. Default: 32. */
  readonly maxPendingApprovals?: number
  /** The time to decide on a call before it counts as rejected. Default: 2 minutes. */
  readonly approvalTimeout?: Duration.DurationInput
  /**
   * The time of a call that the server makes itself (a hosted MCP tool), from where it may run; then the model is asked to
   * go on without its result. Default: 1 minute.
   */
  readonly hostedCallTimeout?: Duration.DurationInput
  /** The time in which the server must confirm settings. Default: 10 seconds. */
  readonly settingsTimeout?: Duration.DurationInput
  /**
   * How many requests with parameters may wait for their turn, or beside the conversation for an answer; one more is
   * refused with `RequestOverflow`. Default: 64.
   */
  readonly maxWaitingRequests?: number
  /**
   * From a request for a response, or a turn of the user that the server answers by itself, to the beginning of the
   * response, before it is asked for. Default: 10 seconds.
   */
  readonly responseTimeout?: Duration.DurationInput
  /** The longest silence of the server within a response. Default: 30 seconds. */
  readonly silenceTimeout?: Duration.DurationInput
  /**
   * How often a response that is owed is asked for again when it never begins or falls silent, before it is published as
   * `ResponseLost`. Default: 2; 0: never.
   */
  readonly maxRetries?: number
  /**
   * Before it is asked for again after a failure or a refusal for a reason that may pass (a rate limit, an error of the
   * server's); twice as long before each next time, up to 8 seconds. Where the server names a time, that counts; where it
   * still refuses then, it is left alone for at least the time before. Default: 1 second.
   */
  readonly retryBackoff?: Duration.DurationInput
  /**
   * For how long it is asked for again after such a failure or refusal, from the first one on each connection, before it
   * is published as `ResponseLost`; what the server wants later than that is lost at once. Default: 1 minute, within
   * which OpenAI renews its rate limits; 0: never asked for again.
   */
  readonly retryWithin?: Duration.DurationInput
  /**
   * When to connect again after a passing loss of the connection, and when to give up. `false`: a lost connection ends
   * the session. Default: `defaultReconnect`. Fatal refusals, such as a key that is wrong, are never tried again. Where a
   * refusal has a `Retry-After`, up to 60 seconds of it are added to the schedule's delay.
   */
  readonly reconnect?: Schedule.Schedule<unknown, ConnectError | ConnectionLost> | false
  /**
   * The age at which a connection is replaced by a fresh one, in a quiet moment: OpenAI ends them after 60 minutes.
   * Default: 55 minutes; `Infinity` (as a duration): never.
   */
  readonly rolloverAfter?: Duration.DurationInput
  /**
   * What of the conversation another connection is told: the newest items, as long as they are within all three. The newest
   * one is told however long it is, if one event can carry it (15 MiB).
   */
  readonly replay?: {
    /** Default: 256. */
    readonly maxItems?: number
    /**
     * Characters of all that is sent: texts, arguments and outputs, and the base64 of audio (PCM16 has 64,000 a second,
     * G.711 10,667) and images. Default: 16,000,000.
     */
    readonly maxCharacters?: number
    /** Of these, characters of text. Default: 100,000, most of what gpt-realtime's context of 32,768 tokens holds. */
    readonly maxTextCharacters?: number
  }
  /**
   * The audio of the user's turns that have no transcript, or none yet: another connection is told that in place of the
   * words, so that it knows what the user said. It is let go when the transcript comes.
   */
  readonly untranscribedAudio?: {
    /**
     * How much is kept; the oldest turns give way, and `TurnAudioDropped` says so. 0: nothing. Default: 8 MiB, which is 3
     * minutes of speech in PCM16 (48,000 bytes a second), or 17 in G.711 (8,000). With `journal`, it is at most three
     * quarters of `journalLag.maxCharacters`.
     */
    readonly maxBytes?: number
    /**
     * Whether the session's journal has it too, so that `Session.resume` tells it in another process: what the caller said
     * is on the disk then, as sound. It is taken away when the journal is next compacted after its transcript came, or it
     * gave way. Default: false: a resume leaves these turns out, and says so in `SessionResumed.omitted`.
     */
    readonly journal?: boolean
  }
  /** How many items may wait for a connection before the session fails with `OutboundOverflow`. Default: 1,024. */
  readonly controlCapacity?: number
  /**
   * What the session is without its `SessionJournal`, where there is one. `"preferred"`: it goes on, and `JournalFailed`
   * says so: a caller is not sent away as a disk is full. `"required"`: it does not begin, or ends with that error, and no
   * handler runs whose start is not written down: so that no tool is run twice. Default: `"preferred"`.
   */
  readonly journal?: "required" | "preferred"
  /**
   * How far behind the journal may be while it can not be written: beyond any of these, it is given up. Default: 4,096
   * records, of 16 Mi characters, for 30 seconds.
   */
  readonly journalLag?: {
    readonly maxRecords?: number
    readonly maxCharacters?: number
    readonly maxDuration?: Duration.DurationInput
  }
  /**
   * How many characters of records are written before what they come to takes their place in the journal; more where the
   * conversation has more. `Infinity`: never. Default: 262,144.
   */
  readonly journalCompactAfter?: number
  /** How much of what the user says may wait for a connection; the oldest is dropped, and said. Default: 10 seconds. */
  readonly inputAudioCapacity?: Duration.DurationInput
  /** How long the server may take to acknowledge an item before that is said. Default: 10 seconds. */
  readonly acknowledgementTimeout?: Duration.DurationInput
  /** How many events a subscriber may be behind before it misses some. Default: 4,096. */
  readonly subscriberCapacity?: number
  /** How many chunks of audio a reader may be behind before it misses some. Default: 512. */
  readonly audioCapacity?: number
  /**
   * Server events that are published also as they came, as `ServerEventReceived`, before the session's own: `true` for
   * all of them, or their types. An event of audio is published whole, base64 included. Default: `false`, only those that
   * have no event of the session's own.
   */
  readonly rawEvents?: boolean | ReadonlyArray<ServerEvent["type"]>
  /**
   * Keeps what the model says, in `session.conversation`, each part cut to what was heard. Beyond `maxBytes` (with `true`
   * 64 MiB: 23 minutes of PCM16) the oldest are dropped, and marked. Default: false, no byte is kept.
   */
  readonly keepAudio?: boolean | { readonly maxBytes: number }
  /**
   * Called with each event in the moment in which it is published, for those who relay: the cheapest way to listen. It
   * runs within the session, which waits for it, so it must be quick and must not wait; what it throws is published as
   * `InputFailed`, and costs nothing else. With it, nothing is kept for the first reader of `events` and `errors`, which
   * begin where they are read. Default: none.
   */
  readonly onEvent?: (event: SessionEvent<E>) => void
  /** As `onEvent`, for each chunk of `audio`. Default: none. */
  readonly onAudio?: (chunk: AudioChunk) => void
}

/**
 * What holds where the options say nothing. Times without a unit are in milliseconds.
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
 * When a session connects again by default: after about a quarter of a second, then after twice as long each time, at
 * most 10 seconds apart, for two minutes. Each time is up to a fifth longer or shorter, so that the sessions of a server
 * that was restarted do not all come back at once.
 *
 * @since 0.1.0
 * @category options
 */
export const defaultReconnect: Schedule.Schedule<unknown> = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("10 seconds")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo("2 minutes"))
)

/** More bytes than these on their way to the network: what the user says waits in the session, where it is bounded in time. */
export const maxBufferedBytes = 1_048_576

const wantsRawOf = (rawEvents: NonNullable<Options["rawEvents"]>): ((type: string) => boolean) => {
  if (typeof rawEvents === "boolean") return () => rawEvents
  const types: ReadonlySet<string> = new Set(rawEvents)
  return (type) => types.has(type)
}

/** Every option with a value, times in milliseconds: what the parts of a session are told. */
export interface Resolved<E = unknown> {
  /** The model that was asked for; absent where the provider chooses. */
  readonly model: string | undefined
  /** Settings that win over those of every agent. */
  readonly settings: Agent.Settings
  readonly settingsTimeout: number
  readonly connections: Connections.Options
  /** Whether server events of this type are published as they come, too. */
  readonly wantsRaw: (type: string) => boolean
  readonly replay: Limits
  /** How much audio of the user's turns without a transcript is kept, and whether the journal has it too. */
  readonly turnAudio: { readonly maxBytes: number; readonly journal: boolean }
  readonly recording: Recorder.Options
  /** How many changes of the conversation may wait for a connection. */
  readonly controlCapacity: number
  /** How long the server may take to acknowledge an item. */
  readonly acknowledgedWithin: number
  /** What of the user's audio may wait; the network is behind when more bytes than these wait for it. */
  readonly inputAudio: { readonly maxSeconds: number; readonly maxBufferedBytes: number }
  /** Makes the text that the model reads instead of a result. */
  describe(error: ToolError<E>): string
  readonly outputLimit: OutputLimit
  readonly ledger: Ledger.Options
  readonly scheduler: Omit<Scheduler.Options, "serverReplies" | "speaks">
  /** Whether settings that make the model call something hold for the beginning of a turn, or for each reply. */
  readonly forcedToolChoice: "once" | "each"
  readonly maxOpenCalls: number
  readonly maxPendingApprovals: number
  readonly maxWaitingRequests: number
  readonly approvalTimeout: number
  /** The time of a hosted call, from where it may run. */
  readonly hostedCallTimeout: number
  readonly subscriberCapacity: number
  readonly audioCapacity: number
  /** How many bytes of what the model says are kept; absent where none are. */
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
    subscriberCapacity: options.subscriberCapacity ?? defaults.subscriberCapacity,
    audioCapacity: options.audioCapacity ?? defaults.audioCapacity,
    keptAudioBytes: Recordings.maxBytesOf(options.keepAudio ?? defaults.keepAudio)
  }
}
