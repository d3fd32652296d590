/** A session as a file: everything that happened, to replay without a model. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { SessionEvent } from "../../../SessionEvent.js"
import type { Entry } from "../model/Entry.js"

const at = { atMs: Schema.NonNegative }

/** The written form of `Entry`. */
const FileEntry = Schema.Union(
  Schema.TaggedStruct("Event", { ...at, event: SessionEvent }),
  Schema.TaggedStruct("Spoken", {
    ...at,
    itemId: Schema.String,
    durationMs: Schema.NonNegative,
    levels: Schema.Array(Schema.Number)
  }),
  Schema.TaggedStruct("Heard", { ...at, level: Schema.Number }),
  Schema.TaggedStruct("Typed", at),
  Schema.TaggedStruct("Released", { ...at, heldMs: Schema.NonNegative }),
  Schema.TaggedStruct("Problem", { ...at, title: Schema.String, message: Schema.String })
)

const format = "effect-realtime.session.v1"

export const SessionFile = Schema.Struct({
  format: Schema.Literal(format),
  /** When the call began, in ISO 8601. */
  startedAt: Schema.String,
  agent: Schema.String,
  entries: Schema.Array(FileEntry)
})
export interface SessionFile extends Schema.Schema.Type<typeof SessionFile> {}

const asText = Schema.parseJson(SessionFile)
const encode = Schema.encodeSync(asText)
const decode = Schema.decodeUnknownEither(asText)

export const write = (startedAt: string, agent: string, entries: ReadonlyArray<Entry>): string =>
  encode({ format, startedAt, agent, entries })

/** The contents of a file, or why it cannot be read. */
export const read = (text: string): Either.Either<SessionFile, string> =>
  Either.mapLeft(decode(text), (error) => {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
    const where = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`
    return `This is not a session of the console${where}: ${issue?.message ?? "it is empty"}`.slice(0, 300)
  })
