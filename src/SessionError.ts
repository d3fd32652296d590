/**
 * Why a session could not begin, why it ended, and why a command could not be carried out.
 *
 * @since 0.1.0
 * @module
 */
import * as Schema from "effect/Schema"
import { AgentInvalid } from "./Agent.js"
import { JournalBusy, JournalCorrupt, JournalExists, JournalFailed, JournalTaken } from "./journal/JournalError.js"
import { OptionsInvalid } from "./options/OptionsInvalid.js"
import { adviceOn } from "./protocol/Severity.js"
import { ApiKeyUnavailable, ConnectFailed, ConnectionLost, ConnectTimedOut, HandshakeRefused } from "./RealtimeModel.js"

export { OptionProblem, OptionsInvalid } from "./options/OptionsInvalid.js"
export * from "./sessionError/answers.js"

/**
 * One thing that is wrong with settings.
 *
 * @since 0.1.0
 * @category models
 */
export const SettingsProblem = Schema.Struct({
  /** The setting that is to blame, such as `session.audio.output.speed`. */
  param: Schema.String,
  /** What is wrong with it, and what to do. */
  message: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface SettingsProblem extends Schema.Schema.Type<typeof SettingsProblem> {}

/**
 * The settings of an agent or of an update cannot be sent. Every problem is listed, so that one round of mending is
 * enough. The settings before stay in force.
 *
 * @since 0.1.0
 * @category errors
 */
export class SettingsInvalid extends Schema.TaggedError<SettingsInvalid>("effect-realtime/SettingsInvalid")(
  "SettingsInvalid",
  { problems: Schema.Array(SettingsProblem) }
) {
  override get message(): string {
    return `The settings were not sent: ${this.problems.map(({ message }) => message).join(" ")}`
  }
}

/**
 * One item that an edit of the conversation would have lost.
 *
 * @since 0.1.0
 * @category models
 */
export const EditProblem = Schema.Struct({
  itemId: Schema.String,
  /** Why a client cannot create it. */
  message: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface EditProblem extends Schema.Schema.Type<typeof EditProblem> {}

/**
 * An edit of the conversation moves or changes items that a client cannot create again: those of hosted tools, and audio
 * of which neither a transcript nor the sound is known. Nothing was done. Leave these items as they are, or leave them out.
 *
 * @since 0.1.0
 * @category errors
 */
export class EditInvalid extends Schema.TaggedError<EditInvalid>("effect-realtime/EditInvalid")("EditInvalid", {
  problems: Schema.Array(EditProblem)
}) {
  override get message(): string {
    const problems = this.problems.map(({ itemId, message }) => `${JSON.stringify(itemId)}: ${message}`)
    return `The conversation was not edited, for these items cannot be created again. ${problems.join(" ")} Leave them as they are, or leave them out.`
  }
}

/**
 * The server refused the settings of an agent or of an update; the ones before stay in force.
 *
 * @since 0.1.0
 * @category errors
 */
export class SettingsRejected extends Schema.TaggedError<SettingsRejected>("effect-realtime/SettingsRejected")(
  "SettingsRejected",
  {
    code: Schema.UndefinedOr(Schema.String),
    /** The setting that is to blame, such as `session.audio.output.voice`. */
    param: Schema.UndefinedOr(Schema.String),
    reason: Schema.String
  }
) {
  override get message(): string {
    return `The server refused the settings${this.param === undefined ? "" : ` (${this.param})`}: ${this.reason}`
  }
}

/**
 * The server did not confirm settings in time. Whether they are in force is unknown.
 *
 * @since 0.1.0
 * @category errors
 */
export class SettingsTimedOut extends Schema.TaggedError<SettingsTimedOut>("effect-realtime/SettingsTimedOut")(
  "SettingsTimedOut",
  { afterMs: Schema.Number }
) {
  override get message(): string {
    return `The server did not confirm the settings within ${this.afterMs / 1000} seconds. Is it a realtime server?`
  }
}

/**
 * The server reported an error that no other try can mend, such as an invalid key or an exhausted quota.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServerFailed extends Schema.TaggedError<ServerFailed>("effect-realtime/ServerFailed")("ServerFailed", {
  code: Schema.UndefinedOr(Schema.String),
  reason: Schema.String
}) {
  override get message(): string {
    const advice = adviceOn(this.code)
    const code = this.code === undefined ? "" : ` (${this.code})`
    return `The server ended the session${code}: ${this.reason}${advice === undefined ? "" : ` ${advice}`}`
  }
}

/**
 * The session has ended, so the command was not carried out. `session.await` tells why it ended.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionClosed extends Schema.TaggedError<SessionClosed>("effect-realtime/SessionClosed")(
  "SessionClosed",
  {}
) {
  override get message(): string {
    return "The session has ended. Make a new one to go on."
  }
}

/**
 * No call with this id waits for a decision: it was decided before, its time was over, or it never asked.
 *
 * @since 0.1.0
 * @category errors
 */
export class ApprovalNotPending extends Schema.TaggedError<ApprovalNotPending>("effect-realtime/ApprovalNotPending")(
  "ApprovalNotPending",
  { callId: Schema.String }
) {
  override get message(): string {
    return `No call ${JSON.stringify(this.callId)} waits for approval. See pendingApprovals.`
  }
}

/**
 * Another agent took over meanwhile, or is about to.
 *
 * @since 0.1.0
 * @category errors
 */
export class HandoffSuperseded extends Schema.TaggedError<HandoffSuperseded>("effect-realtime/HandoffSuperseded")(
  "HandoffSuperseded",
  {
    /** Who has the conversation. */
    by: Schema.String
  }
) {
  override get message(): string {
    return `${this.by} has the conversation, or is just handing it over. Try again if it is still wanted.`
  }
}

/**
 * No agent of the session has this name.
 *
 * @since 0.1.0
 * @category errors
 */
export class AgentUnknown extends Schema.TaggedError<AgentUnknown>("effect-realtime/AgentUnknown")("AgentUnknown", {
  /** The name that was asked for. */
  agent: Schema.String,
  available: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const agents = this.available.join(", ")
    return `No agent of this session is named ${JSON.stringify(this.agent)}. There are: ${agents}. Others join by handoffs, or with Agent.wire.`
  }
}

/**
 * More waits for a connection than may wait: nothing of it was dropped, so the session could not go on.
 *
 * @since 0.1.0
 * @category errors
 */
export class OutboundOverflow extends Schema.TaggedError<OutboundOverflow>("effect-realtime/OutboundOverflow")(
  "OutboundOverflow",
  {
    /** The type of the event that was one too many. */
    type: Schema.String
  }
) {
  override get message(): string {
    return `Too much waits for a connection: there is no room for ${this.type}. Say less while it is away, or raise \`controlCapacity\`.`
  }
}

/**
 * The request for a response cannot be sent as it is.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestInvalid extends Schema.TaggedError<RequestInvalid>("effect-realtime/RequestInvalid")(
  "RequestInvalid",
  {
    /** The parameter that is to blame. */
    param: Schema.String,
    /** What is wrong with it, and what to do. */
    reason: Schema.String
  }
) {
  override get message(): string {
    return `The response was not asked for (${this.param}): ${this.reason}`
  }
}

/**
 * Too many requests for a response wait for their turn already, so this one was not taken.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestOverflow extends Schema.TaggedError<RequestOverflow>("effect-realtime/RequestOverflow")(
  "RequestOverflow",
  { limit: Schema.Number }
) {
  override get message(): string {
    return `${this.limit} requests for a response wait already. Ask again after a ResponseDone, or raise \`maxWaitingRequests\`.`
  }
}

/**
 * A subscriber that was to miss nothing was too slow. The session goes on; so may another subscription.
 *
 * @since 0.1.0
 * @category errors
 */
export class SubscriberLagged extends Schema.TaggedError<SubscriberLagged>("effect-realtime/SubscriberLagged")(
  "SubscriberLagged",
  {
    /** How many events it did not get. */
    missed: Schema.Number
  }
) {
  override get message(): string {
    return `The subscriber was too slow, and ${this.missed} events were dropped for it. Subscribe again, with a larger \`capacity\` or with onLag: "snapshot".`
  }
}

/**
 * Why a session could not begin, or why it ended.
 *
 * @since 0.1.0
 * @category errors
 */
export const SessionError = Schema.Union(
  AgentInvalid,
  OptionsInvalid,
  SettingsInvalid,
  ApiKeyUnavailable,
  HandshakeRefused,
  ConnectFailed,
  ConnectTimedOut,
  ConnectionLost,
  SettingsRejected,
  SettingsTimedOut,
  ServerFailed,
  OutboundOverflow,
  JournalBusy,
  JournalCorrupt,
  JournalExists,
  JournalFailed,
  JournalTaken
)
/**
 * Why a session could not begin, or why it ended. Spelled out, so that the compiler calls it by its name.
 *
 * @since 0.1.0
 * @category errors
 */
export type SessionError =
  | AgentInvalid
  | OptionsInvalid
  | SettingsInvalid
  | ApiKeyUnavailable
  | HandshakeRefused
  | ConnectFailed
  | ConnectTimedOut
  | ConnectionLost
  | SettingsRejected
  | SettingsTimedOut
  | ServerFailed
  | OutboundOverflow
  | JournalBusy
  | JournalCorrupt
  | JournalExists
  | JournalFailed
  | JournalTaken
