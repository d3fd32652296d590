/** What a journal is made of: facts of a session, each final when it is written, in the order in which they came. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { Item } from "../Conversation.js"
import { AudioFormat, RealtimeSession } from "../protocol/SessionConfig.js"
import { compile, compileWritten } from "../protocol/Validator.js"

/**
 * A session began, or was taken up again after it had ended or its process had died.
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
 * The settings of a session as a client sends them, without what never changes.
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
 * The server confirmed these settings, all updates together. The newest count, and their agent has the conversation.
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
 * A part of an item that the user has not heard to its end: so many milliseconds of it, and so many UTF-16 code units of
 * its transcript, as estimated: rather too few than too many.
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
 * An item of the conversation is final. One with the same id replaces it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ItemFinal = Schema.TaggedStruct("ItemFinal", {
  item: Item,
  /**
   * The item before it in the server's conversation, which may become final after it. `"root"`: it comes first. Without
   * one, a new item comes last and a known one stays where it is.
   */
  previousItemId: Schema.optional(Schema.String),
  /** Its parts that were not heard to their end by then: audio is generated faster than it is heard. */
  unheard: Schema.optional(Schema.Array(HeardPart)),
  /** The model is to go on after it: there was more to come of its answer, or that is asked for again. */
  owed: Schema.optional(Schema.Literal(true))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ItemFinal extends Schema.Schema.Type<typeof ItemFinal> {}

/**
 * What is known now of how much of an item was heard, in place of what was: of these parts so much, of all others all.
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
 * The server's conversation has the item no longer.
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
 * The audio of what the user said in one part of an item, for as long as no transcript says it and its item is there.
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
 * It is kept no longer, though no transcript came: newer turns needed the room. Without an index, all of the item.
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
 * What became of a call. Only its arrival says what it is; the others follow it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CallStage = Schema.Union(
  /** The model made the call. */
  Schema.TaggedStruct("Arrived", {
    /** The item that the call is in the server's conversation. */
    itemId: Schema.UndefinedOr(Schema.String),
    responseId: Schema.UndefinedOr(Schema.String),
    /** The agent that was current when the model made the call. */
    agent: Schema.String,
    tool: Schema.String,
    /** JSON text, as the model wrote it. */
    arguments: Schema.String
  }),
  /** The tool's handler is about to run: what it does to the world may have been done, in whole or in part. */
  Schema.TaggedStruct("Started", {}),
  Schema.TaggedStruct("Settled", {
    /** What the model reads, or will read. */
    output: Schema.String,
    /** Whether the model is to go on once it has this output. */
    reply: Schema.Boolean,
    /** Present where the output only acknowledges a deferred call: the result is to follow. */
    deferred: Schema.optional(Schema.Literal(true))
  }),
  /** Nothing is owed for it any more. Without an item id, it was given up and the model reads nothing. */
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
 * The session ended. One that is taken up again opens anew.
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
 * A piece of what the records before it came to, which it stands for: a journal that was compacted begins with these, and
 * before them with records that no snapshot has room for. All together say what a session was then, so that what follows
 * means the same as before.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Snapshot = Schema.TaggedStruct("Snapshot", {
  sessionId: Schema.optional(Schema.String),
  agent: Schema.optional(Schema.String),
  settings: Schema.optional(Settings),
  ended: Schema.optional(SessionEnded.omit("_tag")),
  /** In the order in which they became known. One without an item was removed: others may stand where it stood. */
  places: Schema.Array(
    Schema.Struct({
      itemId: Schema.String,
      previousItemId: Schema.optional(Schema.String),
      item: Schema.optional(Item)
    })
  ),
  /** The open calls, each by what makes it what it is. */
  calls: Schema.Array(Schema.Struct({ callId: Schema.String, stages: Schema.Array(CallStage) })),
  /** Calls that are over. */
  closed: Schema.Array(Schema.String),
  /** Calls whose output wants no answer. */
  silent: Schema.Array(Schema.String),
  /** Items that are results of deferred calls. */
  results: Schema.Array(Schema.String),
  /** Items that the model is to go on after, while they are the last. */
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

/** The newest version of the shapes above. It changes when a reader that knows only the old ones would be wrong. */
const VERSION = 3

/** The first version that has a record: an older reader can read the others. */
const versionOf = (record: JournalRecord): number => {
  switch (record._tag) {
    case "ItemFinal":
      return record.unheard === undefined && record.owed === undefined ? 1 : 3
    case "ItemHeard":
    case "TurnAudioKept":
    case "TurnAudioDropped":
      return 3
    case "Snapshot":
      return record.owed === undefined ? 2 : 3
    default:
      return 1
  }
}

const Envelope = Schema.Struct({ version: Schema.Number, record: Schema.Unknown })

const isEnvelope = compile(Envelope)
const decodeEnvelope = Schema.decodeUnknownEither(Envelope)
// What a newer minor version adds to a record, or a server to its settings, is kept.
const decodeRecord = Schema.decodeUnknownEither(JournalRecord, { onExcessProperty: "preserve" })
const encodeRecord = Schema.encodeEither(JournalRecord, { onExcessProperty: "preserve" })

/** Most records are the same in a program and in JSON: a look tells, and nothing has to be built anew. */
const isDecoded = compileWritten(JournalRecord)
const isEncoded = compile(Schema.encodedSchema(JournalRecord))

/** One line of JSON, without anything that is not Unicode: lone surrogates are escaped. Or else what is wrong. */
export const encode = (record: JournalRecord): Either.Either<string, string> =>
  attempt(() => (isEncoded(record) ? Either.right(record) : encodeRecord(record)), misshapen).pipe(
    Either.flatMap(Either.mapLeft(misshapen)),
    Either.flatMap((encoded) =>
      attempt(
        () => JSON.stringify({ version: versionOf(record), record: encoded }),
        () => `the ${record._tag} holds what JSON can not`
      )
    )
  )

/** The record that was encoded, or else what is wrong. It is said without what the record holds. */
export const decode = (text: string): Either.Either<JournalRecord, string> =>
  attempt(
    (): unknown => JSON.parse(text),
    () => "it is not JSON"
  ).pipe(
    Either.flatMap((json) => (isEnvelope(json) ? Either.right(json) : Either.mapLeft(decodeEnvelope(json), misshapen))),
    Either.filterOrLeft(
      ({ version }) => Number.isInteger(version) && version >= 1 && version <= VERSION,
      ({ version }) => `it has version ${version}, and those up to ${VERSION} are known. Update effect-realtime`
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

/** Values that nest deeply, or pose as others, make schemas throw. */
const attempt = <A>(evaluate: () => A, onThrow: (error: unknown) => string): Either.Either<A, string> =>
  Either.try({ try: evaluate, catch: onThrow })
