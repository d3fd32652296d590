/**
 * Why a session could not begin, why it ended, or why a command was not carried out.
 *
 * @since 0.1.0
 * @module
 */
import * as Schema from "effect/Schema"
import { AgentInvalid } from "./Agent.js"
import { TaggedError } from "./common/TaggedError.js"
import { JournalBusy, JournalCorrupt, JournalExists, JournalFailed, JournalTaken } from "./journal/JournalError.js"
import { OptionsInvalid } from "./options/OptionsInvalid.js"
import { adviceOn } from "./protocol/Severity.js"
import {
  ApiKeyUnavailable,
  CallGone,
  ConnectFailed,
  ConnectionLost,
  ConnectTimedOut,
  HandshakeRefused
} from "./RealtimeModel.js"

export { OptionProblem, OptionsInvalid } from "./options/OptionsInvalid.js"
export * from "./sessionError/answers.js"

/**
 * One problem with settings.
 *
 * @since 0.1.0
 * @category models
 */
export const SettingsProblem = Schema.Struct({
  /** The invalid setting, such as `session.audio.output.speed`. */
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
 * The settings of an agent or of an update cannot be sent. The error lists every problem, so that you can fix all of
 * them at once. The previous settings stay in force.
 *
 * @since 0.1.0
 * @category errors
 */
export class SettingsInvalid extends TaggedError<SettingsInvalid>()("SettingsInvalid", {
  problems: Schema.Array(SettingsProblem)
}) {
  override get message(): string {
    return `The settings were not sent: ${this.problems.map(({ message }) => message).join(" ")}`
  }
}

/**
 * One item that an edit of the conversation would lose.
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
 * An edit of the conversation moves or changes items that a client cannot create again: items of hosted tools, and
 * audio with neither a known transcript nor known sound. Nothing was changed. Leave these items as they are, or leave
 * them out.
 *
 * @since 0.1.0
 * @category errors
 */
export class EditInvalid extends TaggedError<EditInvalid>()("EditInvalid", {
  problems: Schema.Array(EditProblem)
}) {
  override get message(): string {
    const problems = this.problems.map(({ itemId, message }) => `${JSON.stringify(itemId)}: ${message}`)
    return `The conversation was not edited, because these items cannot be created again. ${problems.join(" ")} Leave them as they are, or leave them out.`
  }
}

/**
 * The server refused the settings of an agent or of an update. The previous settings stay in force.
 *
 * @since 0.1.0
 * @category errors
 */
export class SettingsRejected extends TaggedError<SettingsRejected>()("SettingsRejected", {
  code: Schema.UndefinedOr(Schema.String),
  /** The invalid setting, such as `session.audio.output.voice`. */
  param: Schema.UndefinedOr(Schema.String),
  reason: Schema.String
}) {
  override get message(): string {
    return `The server refused the settings${this.param === undefined ? "" : ` (${this.param})`}: ${this.reason}`
  }
}

/**
 * The server did not confirm settings in time. It is not known whether they are in force.
 *
 * @since 0.1.0
 * @category errors
 */
export class SettingsTimedOut extends TaggedError<SettingsTimedOut>()("SettingsTimedOut", { afterMs: Schema.Number }) {
  override get message(): string {
    return `The server did not confirm the settings within ${this.afterMs / 1000} seconds. Is it a realtime server?`
  }
}

/**
 * The server reported an error that a retry cannot fix, such as an invalid key or an exhausted quota.
 *
 * @since 0.1.0
 * @category errors
 */
export class ServerFailed extends TaggedError<ServerFailed>()("ServerFailed", {
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
export class SessionClosed extends TaggedError<SessionClosed>()("SessionClosed", {}) {
  override get message(): string {
    return "The session has ended. Make a new one to go on."
  }
}

/**
 * No call with this id waits for a decision: it was already decided, it timed out, or it never needed approval.
 *
 * @since 0.1.0
 * @category errors
 */
export class ApprovalNotPending extends TaggedError<ApprovalNotPending>()("ApprovalNotPending", {
  callId: Schema.String
}) {
  override get message(): string {
    return `No call ${JSON.stringify(this.callId)} waits for approval. See pendingApprovals.`
  }
}

/**
 * Another agent has taken over in the meantime, or is about to.
 *
 * @since 0.1.0
 * @category errors
 */
export class HandoffSuperseded extends TaggedError<HandoffSuperseded>()("HandoffSuperseded", {
  /** The agent that has the conversation. */
  by: Schema.String
}) {
  override get message(): string {
    return `${this.by} has the conversation, or is handing it over. Try again if you still want the handoff.`
  }
}

/**
 * No agent of the session has this name.
 *
 * @since 0.1.0
 * @category errors
 */
export class AgentUnknown extends TaggedError<AgentUnknown>()("AgentUnknown", {
  /** The name that was given. */
  agent: Schema.String,
  available: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const agents = this.available.join(", ")
    return `No agent of this session is named ${JSON.stringify(this.agent)}. There are: ${agents}. Others join by handoffs, or with Agent.wire.`
  }
}

/**
 * The queue of events for the connection is full. Queued events are never dropped, so the session had to end.
 *
 * @since 0.1.0
 * @category errors
 */
export class OutboundOverflow extends TaggedError<OutboundOverflow>()("OutboundOverflow", {
  /** The type of the event that did not fit. */
  type: Schema.String
}) {
  override get message(): string {
    return `The queue for the connection is full: there is no room for ${this.type}. Send less while the connection is down, or raise \`controlCapacity\`.`
  }
}

/**
 * The request for a response cannot be sent as it is.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestInvalid extends TaggedError<RequestInvalid>()("RequestInvalid", {
  /** The invalid parameter. */
  param: Schema.String,
  /** What is wrong with it, and what to do. */
  reason: Schema.String
}) {
  override get message(): string {
    return `The response was not asked for (${this.param}): ${this.reason}`
  }
}

/**
 * Too many requests for a response are already waiting, so this one was refused.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestOverflow extends TaggedError<RequestOverflow>()("RequestOverflow", { limit: Schema.Number }) {
  override get message(): string {
    return `${this.limit} requests for a response are already waiting. Ask again after a ResponseDone, or raise \`maxWaitingRequests\`.`
  }
}

/**
 * A subscriber that must not miss events was too slow. The session goes on, and you can subscribe again.
 *
 * @since 0.1.0
 * @category errors
 */
export class SubscriberLagged extends TaggedError<SubscriberLagged>()("SubscriberLagged", {
  /** How many events the subscriber missed. */
  missed: Schema.Number
}) {
  override get message(): string {
    return `The subscriber was too slow and missed ${this.missed} events. Subscribe again, with a larger \`capacity\` or with onLag: "snapshot".`
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
  CallGone,
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
 * Why a session could not begin, or why it ended. Written out, so that compiler messages show these names.
 *
 * @since 0.1.0
 * @category errors
 */
export type SessionError =
  | AgentInvalid
  | OptionsInvalid
  | SettingsInvalid
  | ApiKeyUnavailable
  | CallGone
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
