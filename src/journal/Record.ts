/** The records of a journal: facts about a session, each final when it is written, in order. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Item } from "../Conversation.js"
import { AudioFormat, RealtimeSession } from "../protocol/SessionConfig.js"
import { compile, compileWritten } from "../protocol/Validator.js"

/**
 * A session began, or was resumed after it had ended or its process had died.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SessionOpened = Schema.TaggedStruct("SessionOpened", {
  sessionId: Schema.String,
  /** The agent that the session begins with. */
  agent: Schema.String,
  /** Milliseconds since 1970. */
  at: Schema.Number
})
/**
 * @since 0.1.0
 * @category models
 */
export interface SessionOpened extends Schema.Schema.Type<typeof SessionOpened> {}

/**
 * The settings of a session as a client sends them, without fields that never change.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Settings = RealtimeSession.omit("type")
/**
 * @since 0.1.0
 * @category models
 */
export interface Settings extends Schema.Schema.Type<typeof Settings> {}

/**
 * The server confirmed these settings, the result of all updates so far. The latest record counts, and its agent has
 * the conversation.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SettingsConfirmed = Schema.TaggedStruct("SettingsConfirmed", { agent: Schema.String, settings: Settings })
/**
 * @since 0.1.0
 * @category models
 */
export interface SettingsConfirmed extends Schema.Schema.Type<typeof SettingsConfirmed> {}

/**
 * A part of an item that the user has not heard to the end: how many milliseconds of it were heard, and how many UTF-16
 * code units of its transcript, by an estimate that is rather too low than too high.
 *
 * @since 0.1.0
 * @category schemas
 */
export const HeardPart = Schema.Struct({
  contentIndex: Schema.Number,
  heardMs: Schema.Number,
  length: Schema.Number
})
/**
 * @since 0.1.0
 * @category models
 */
export interface HeardPart extends Schema.Schema.Type<typeof HeardPart> {}

/**
 * An item of the conversation is final. It replaces an earlier one with the same id.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ItemFinal = Schema.TaggedStruct("ItemFinal", {
  item: Item,
  /**
   * The item before it in the server's conversation, which may become final later. `"root"`: it comes first. If absent,
   * a new item comes last, and a known one stays where it is.
   */
  previousItemId: Schema.optional(Schema.String),
  /** The parts that were not heard to the end at that time, because audio is generated faster than it is played. */
  unheard: Schema.optional(Schema.Array(HeardPart)),
  /** The model must go on after it: its answer was incomplete, or is requested again. */
  owed: Schema.optional(Schema.Literal(true))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ItemFinal extends Schema.Schema.Type<typeof ItemFinal> {}

/**
 * Replaces what is known about how much of an item was heard: these parts to this extent, and all others in full.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ItemHeard = Schema.TaggedStruct("ItemHeard", {
  itemId: Schema.String,
  unheard: Schema.Array(HeardPart)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ItemHeard extends Schema.Schema.Type<typeof ItemHeard> {}

/**
 * The item is no longer in the server's conversation.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ItemRemoved = Schema.TaggedStruct("ItemRemoved", { itemId: Schema.String })
/**
 * @since 0.1.0
 * @category models
 */
export interface ItemRemoved extends Schema.Schema.Type<typeof ItemRemoved> {}

/**
 * The audio of the user's speech in one part of an item. It counts until there is a transcript, or the item is removed.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TurnAudioKept = Schema.TaggedStruct("TurnAudioKept", {
  itemId: Schema.String,
  contentIndex: Schema.Number,
  format: AudioFormat,
  /** Base64. */
  audio: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface TurnAudioKept extends Schema.Schema.Type<typeof TurnAudioKept> {}

/**
 * The audio is no longer kept, although no transcript came: newer turns needed the room. Without an index: the whole
 * item.
 *
 * @since 0.1.0
 * @category schemas
 */
export const TurnAudioDropped = Schema.TaggedStruct("TurnAudioDropped", {
  itemId: Schema.String,
  contentIndex: Schema.optional(Schema.Number)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface TurnAudioDropped extends Schema.Schema.Type<typeof TurnAudioDropped> {}

/**
 * A change of a call's state. Only `Arrived` has the details of the call; the other records follow it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CallStage = Schema.Union(
  /** The model made the call. */
  Schema.TaggedStruct("Arrived", {
    /** The call's item in the server's conversation. */
    itemId: Schema.UndefinedOr(Schema.String),
    responseId: Schema.UndefinedOr(Schema.String),
    /** The agent that was current when the model made the call. */
    agent: Schema.String,
    tool: Schema.String,
    /** JSON text, as the model wrote it. */
    arguments: Schema.String
  }),
  /** The tool's handler is about to run: from here on, its effects may have happened, in whole or in part. */
  Schema.TaggedStruct("Started", {}),
  Schema.TaggedStruct("Settled", {
    /** What the model reads, or will read. */
    output: Schema.String,
    /** Whether the model should go on once it has this output. */
    reply: Schema.Boolean,
    /** Present if the output only acknowledges a deferred call: the result will follow. */
    deferred: Schema.optional(Schema.Literal(true))
  }),
  /** A guardrail took back the answer that made the call: the model does not go on after its output. */
  Schema.TaggedStruct("Withdrawn", {}),
  /** Nothing more is owed for the call. Without an item id, it was given up, and the model reads nothing. */
  Schema.TaggedStruct("Acknowledged", { outputItemId: Schema.optional(Schema.String) })
)
/**
 * @since 0.1.0
 * @category models
 */
export type CallStage = typeof CallStage.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const CallTransition = Schema.TaggedStruct("CallTransition", { callId: Schema.String, to: CallStage })
/**
 * @since 0.1.0
 * @category models
 */
export interface CallTransition extends Schema.Schema.Type<typeof CallTransition> {}

/**
 * The session ended. If it is resumed, it opens again.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SessionEnded = Schema.TaggedStruct("SessionEnded", {
  /** Milliseconds since 1970. */
  at: Schema.Number,
  reason: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface SessionEnded extends Schema.Schema.Type<typeof SessionEnded> {}

/**
 * A piece of the state that replaces all earlier records. A compacted journal begins with these pieces, and before them
 * with the records that a snapshot cannot contain. Together they describe the session at that time, so that the records
 * that follow have the same meaning as before.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Snapshot = Schema.TaggedStruct("Snapshot", {
  sessionId: Schema.optional(Schema.String),
  agent: Schema.optional(Schema.String),
  settings: Schema.optional(Settings),
  ended: Schema.optional(SessionEnded.omit("_tag")),
  /** In the order in which they became known. One without an item was removed: others may refer to its place. */
  places: Schema.Array(
    Schema.Struct({
      itemId: Schema.String,
      previousItemId: Schema.optional(Schema.String),
      item: Schema.optional(Item)
    })
  ),
  /** The open calls, each with the records that describe it. */
  calls: Schema.Array(Schema.Struct({ callId: Schema.String, stages: Schema.Array(CallStage) })),
  /** Calls that are over. */
  closed: Schema.Array(Schema.String),
  /** Calls whose output needs no answer. */
  silent: Schema.Array(Schema.String),
  /** Items that are results of deferred calls. */
  results: Schema.Array(Schema.String),
  /** Items that the model must go on after, while they are the last. */
  owed: Schema.optional(Schema.Array(Schema.String))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Snapshot extends Schema.Schema.Type<typeof Snapshot> {}

/**
 * @since 0.1.0
 * @category schemas
 */
export const JournalRecord = Schema.Union(
  SessionOpened,
  SettingsConfirmed,
  ItemFinal,
  ItemHeard,
  ItemRemoved,
  TurnAudioKept,
  TurnAudioDropped,
  CallTransition,
  SessionEnded,
  Snapshot
)
/**
 * @since 0.1.0
 * @category models
 */
export type JournalRecord =
  | SessionOpened
  | SettingsConfirmed
  | ItemFinal
  | ItemHeard
  | ItemRemoved
  | TurnAudioKept
  | TurnAudioDropped
  | CallTransition
  | SessionEnded
  | Snapshot

/** The latest version of the shapes above. It increases when a reader that only knows the older ones would be wrong. */
const VERSION = 4

const isOfVersion4 = (stage: CallStage): boolean => stage._tag === "Withdrawn"

/** The first version that has this record: an older reader can read the others. */
const versionOf = (record: JournalRecord): number => {
  switch (record._tag) {
    case "ItemFinal":
      return record.unheard === undefined && record.owed === undefined ? 1 : 3
    case "ItemHeard":
    case "TurnAudioKept":
    case "TurnAudioDropped":
      return 3
    case "CallTransition":
      return isOfVersion4(record.to) ? 4 : 1
    case "Snapshot":
      if (record.calls.some(({ stages }) => stages.some(isOfVersion4))) return 4
      return record.owed === undefined ? 2 : 3
    default:
      return 1
  }
}

const Envelope = Schema.Struct({ version: Schema.Number, record: Schema.Unknown })

const isEnvelope = compile(Envelope)
const decodeEnvelope = Schema.decodeUnknownEither(Envelope)
// Fields that a newer minor version adds to a record, or a server to its settings, are kept.
const decodeRecord = Schema.decodeUnknownEither(JournalRecord, { onExcessProperty: "preserve" })
const encodeRecord = Schema.encodeEither(JournalRecord, { onExcessProperty: "preserve" })

/** Most records are the same in a program and in JSON: a check is enough, and nothing must be copied. */
const isDecoded = compileWritten(JournalRecord)
const isEncoded = compile(Schema.encodedSchema(JournalRecord))

/** Returns one line of JSON in valid Unicode, with lone surrogates escaped; otherwise what is wrong. */
export const encode = (record: JournalRecord): Either.Either<string, string> =>
  attempt(() => (isEncoded(record) ? Either.right(record) : encodeRecord(record)), misshapen).pipe(
    Either.flatMap(Either.mapLeft(misshapen)),
    Either.flatMap((encoded) =>
      attempt(
        () => JSON.stringify({ version: versionOf(record), record: encoded }),
        () => `the ${record._tag} has a value that JSON cannot represent`
      )
    )
  )

/** Returns the record, or what is wrong, without quoting the record's content. */
export const decode = (text: string): Either.Either<JournalRecord, string> =>
  attempt(
    (): unknown => JSON.parse(text),
    () => "it is not JSON"
  ).pipe(
    Either.flatMap((json) => (isEnvelope(json) ? Either.right(json) : Either.mapLeft(decodeEnvelope(json), misshapen))),
    Either.filterOrLeft(
      ({ version }) => Number.isInteger(version) && version >= 1 && version <= VERSION,
      ({ version }) =>
        `it has version ${version}, but only versions up to ${VERSION} are supported. Update effect-realtime`
    ),
    Either.flatMap(({ record }) =>
      isDecoded(record)
        ? Either.right(record)
        : Either.flatMap(
            attempt(() => decodeRecord(record), misshapen),
            Either.mapLeft(misshapen)
          )
    )
  )

const misshapen = (error: unknown): string => {
  const path = ParseResult.isParseError(error) ? ParseResult.ArrayFormatter.formatErrorSync(error)[0]?.path : undefined
  const place = path === undefined || path.length === 0 ? "" : ` (at ${path.map(String).join(".")})`
  return `it does not have the shape of a record${place}`
}

/** Deeply nested values, or values that imitate others, make schemas throw. */
const attempt = <A>(evaluate: () => A, onThrow: (error: unknown) => string): Either.Either<A, string> =>
  Either.try({ try: evaluate, catch: onThrow })
