/** Why a journal could not be opened, written or read. */
import * as Schema from "effect/Schema"

/**
 * Another writer has the journal open, in this process or in another one.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalBusy extends Schema.TaggedError<JournalBusy>("effect-realtime/JournalBusy")("JournalBusy", {
  sessionId: Schema.String,
  /**
   * Milliseconds after which a writer that has died is followed by the next: try again then. Absent where the writer is
   * known to live, in this process or in another one of this machine: it is free when it is closed there.
   */
  retryAfterMs: Schema.UndefinedOr(Schema.Number)
}) {
  override get message(): string {
    const how =
      this.retryAfterMs === undefined
        ? "Its process lives: close it there first"
        : `Close it there first; if its process died, try again in ${Math.ceil(this.retryAfterMs / 100) / 10} seconds`
    return `Somebody has the journal of session ${JSON.stringify(this.sessionId)} open. ${how}.`
  }
}

/**
 * The writer gave no sign of life for a whole lease, and another one took the journal over: it has the session now.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalTaken extends Schema.TaggedError<JournalTaken>("effect-realtime/JournalTaken")("JournalTaken", {
  sessionId: Schema.String
}) {
  override get message(): string {
    return `Another writer took the journal of session ${JSON.stringify(this.sessionId)} over, as this one had given no sign of life. The session is there now: end it here.`
  }
}

/**
 * A new session was to have the name of one that has a journal.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalExists extends Schema.TaggedError<JournalExists>("effect-realtime/JournalExists")("JournalExists", {
  sessionId: Schema.String
}) {
  override get message(): string {
    return `There is a journal of session ${JSON.stringify(this.sessionId)} already. Take it up with Session.resume, remove it first, or choose another name.`
  }
}

/**
 * A record is damaged, so what the session was can not be told for sure. Nothing is changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalCorrupt extends Schema.TaggedError<JournalCorrupt>("effect-realtime/JournalCorrupt")(
  "JournalCorrupt",
  {
    sessionId: Schema.String,
    /** Which record, from 1. In a file, each has a line. */
    line: Schema.Number,
    /** Where that line begins, in bytes from the beginning of the file; absent where records are rows. */
    offset: Schema.UndefinedOr(Schema.Number),
    reason: Schema.String
  }
) {
  override get message(): string {
    const place = this.offset === undefined ? "" : `, at byte ${this.offset}`
    return `Record ${this.line} of session ${JSON.stringify(this.sessionId)}${place}, can not be trusted: ${this.reason}. Restore the journal from a copy, or remove it.`
  }
}

/**
 * The storage failed, or the writer may write no longer. After a failed `append`, some of its records may be there.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalFailed extends Schema.TaggedError<JournalFailed>("effect-realtime/JournalFailed")("JournalFailed", {
  /** Absent where it is about all journals. */
  sessionId: Schema.UndefinedOr(Schema.String),
  operation: Schema.Literal("make", "open", "append", "read", "sessions", "remove"),
  /** What is wrong, and what to do. */
  reason: Schema.String,
  /** The same would fail again, however often it were tried. */
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
  remove: "remove the journal of"
}

/**
 * Nothing was ever written for this session, or it was removed.
 *
 * @since 0.1.0
 * @category errors
 */
export class JournalNotFound extends Schema.TaggedError<JournalNotFound>("effect-realtime/JournalNotFound")(
  "JournalNotFound",
  { sessionId: Schema.String }
) {
  override get message(): string {
    return `There is no journal of session ${JSON.stringify(this.sessionId)}. See sessions for those that there are.`
  }
}
