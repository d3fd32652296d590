/** Why a journal could not be opened, written or read. */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * Another writer has the journal open, in this process or in another one.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalBusy extends TaggedError<JournalBusy>()("JournalBusy", {
  sessionId: Schema.String,
  /**
   * How long to wait, in milliseconds, before trying again: by then, a dead writer has lost the journal. Absent if the
   * writer is known to be alive, in this process or in another one on this machine: the journal is free when it is
   * closed there.
   */
  retryAfterMs: Schema.UndefinedOr(Schema.Number)
}) {
  override get message(): string {
    const how =
      this.retryAfterMs === undefined
        ? "Its process is still running: close it there first"
        : `Close it there first; if its process died, try again in ${Math.ceil(this.retryAfterMs / 100) / 10} seconds`
    return `Another writer has the journal of session ${JSON.stringify(this.sessionId)} open. ${how}.`
  }
}

/**
 * The writer gave no sign of life for a whole lease, so another writer took over the journal. It has the session now.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalTaken extends TaggedError<JournalTaken>()("JournalTaken", {
  sessionId: Schema.String
}) {
  override get message(): string {
    return `Another writer took over the journal of session ${JSON.stringify(this.sessionId)}, because this one had given no sign of life. The session continues there: end it here.`
  }
}

/**
 * A new session has the id of one that already has a journal.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalExists extends TaggedError<JournalExists>()("JournalExists", {
  sessionId: Schema.String
}) {
  override get message(): string {
    return `Session ${JSON.stringify(this.sessionId)} already has a journal. Resume it with Session.resume, remove it first, or choose another id.`
  }
}

/**
 * A record is damaged, so the state of the session is not certain. Nothing was changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalCorrupt extends TaggedError<JournalCorrupt>()("JournalCorrupt", {
  sessionId: Schema.String,
  /** The number of the record, from 1. In a file, each record has one line. */
  line: Schema.Number,
  /** The position of the line, in bytes from the beginning of the file; absent if records are rows. */
  offset: Schema.UndefinedOr(Schema.Number),
  reason: Schema.String
}) {
  override get message(): string {
    const place = this.offset === undefined ? "" : `, at byte ${this.offset}`
    return `Record ${this.line} of session ${JSON.stringify(this.sessionId)}${place}, is damaged: ${this.reason}. Restore the journal from a copy, or remove it.`
  }
}

/**
 * The storage failed, or the writer must no longer write. After a failed `append`, some of its records may be stored.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalFailed extends TaggedError<JournalFailed>()("JournalFailed", {
  /** Absent if the failure is about all journals. */
  sessionId: Schema.UndefinedOr(Schema.String),
  operation: Schema.Literal("make", "open", "append", "read", "sessions", "remove", "evict"),
  /** What is wrong, and what to do. */
  reason: Schema.String,
  /** A retry would fail in the same way. */
  isFinal: Schema.optional(Schema.Literal(true))
}) {
  override get message(): string {
    const subject = this.sessionId === undefined ? "the journals" : `session ${JSON.stringify(this.sessionId)}`
    return `Journal: could not ${verbs[this.operation]} ${subject}. ${this.reason}`
  }
}

const verbs = {
  make: "set up",
  open: "open the journal of",
  append: "append to the journal of",
  read: "read the journal of",
  sessions: "list",
  remove: "remove the journal of",
  evict: "evict the writer of"
}

/**
 * No journal was ever written for this session, or it was removed.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalNotFound extends TaggedError<JournalNotFound>()("JournalNotFound", { sessionId: Schema.String }) {
  override get message(): string {
    return `There is no journal for session ${JSON.stringify(this.sessionId)}. \`sessions\` lists those that exist.`
  }
}
