/**
 * What one node asks another to do with a call. A command travels as JSON with the version that it was made for: a node
 * of an earlier version refuses what it does not know, with a typed error.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  AgentUnknown,
  ApprovalNotPending,
  HandoffSuperseded,
  SessionClosed,
  SettingsInvalid,
  SettingsRejected,
  SettingsTimedOut
} from "../SessionError.js"
import { CallNotHere, CommandUnknown, TextRefused } from "./ClusterError.js"

/**
 * The version of the commands and of the directory that this package speaks. Nodes of version n and n + 1 work side by
 * side: fields are only added, and optional.
 *
 * @since 0.1.0
 * @category versions
 */
export const version = 1

/**
 * @since 0.1.0
 * @category schemas
 */
export const SendText = Schema.TaggedStruct("SendText", {
  text: Schema.String,
  /** The id that the item gets, so that the words are said once, whoever sends them again. */
  itemId: Schema.String
})
/**
 * @since 0.1.0
 * @category schemas
 */
export const Approve = Schema.TaggedStruct("Approve", {
  toolCallId: Schema.String,
  always: Schema.optionalWith(Schema.Boolean, { exact: true })
})
/**
 * @since 0.1.0
 * @category schemas
 */
export const Reject = Schema.TaggedStruct("Reject", {
  toolCallId: Schema.String,
  reason: Schema.optionalWith(Schema.String, { exact: true }),
  always: Schema.optionalWith(Schema.Boolean, { exact: true })
})
/**
 * @since 0.1.0
 * @category schemas
 */
export const Interrupt = Schema.TaggedStruct("Interrupt", {})
/**
 * @since 0.1.0
 * @category schemas
 */
export const UpdateAgent = Schema.TaggedStruct("UpdateAgent", { agent: Schema.String })
/**
 * @since 0.1.0
 * @category schemas
 */
export const Close = Schema.TaggedStruct("Close", {})
/**
 * @since 0.1.0
 * @category schemas
 */
export const Status = Schema.TaggedStruct("Status", {})
/**
 * Asks the owner to give the call to another node, because its caller has come back there.
 *
 * @since 0.1.0
 * @category schemas
 */
export const HandOver = Schema.TaggedStruct("HandOver", { toNodeId: Schema.String })

/**
 * @since 0.1.0
 * @category schemas
 */
export const Command = Schema.Union(SendText, Approve, Reject, Interrupt, UpdateAgent, Close, Status, HandOver)
/**
 * @since 0.1.0
 * @category models
 */
export type Command = typeof Command.Type

/**
 * A tool call of the agent that waits for a decision.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PendingCall = Schema.Struct({
  toolCallId: Schema.String,
  tool: Schema.String,
  agent: Schema.String,
  /** The arguments as the model wrote them. */
  arguments: Schema.String,
  /** Until when it can be decided, in milliseconds since 1970. */
  deadline: Schema.Number
})

/**
 * @since 0.1.0
 * @category schemas
 */
export const CallStatus = Schema.Struct({
  nodeId: Schema.String,
  /** How often the call changed its node, counted from 1. */
  epoch: Schema.Number,
  /** The agent that has the conversation. */
  agent: Schema.String,
  /** The number of items in the conversation. */
  items: Schema.Number,
  pendingApprovals: Schema.Array(PendingCall)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface CallStatus extends Schema.Schema.Type<typeof CallStatus> {}

/**
 * What a command gives: the id of the item for `SendText`, a `CallStatus` for `Status`, nothing otherwise.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Reply = Schema.Union(
  Schema.TaggedStruct("Said", { itemId: Schema.String }),
  Schema.TaggedStruct("Reported", { status: CallStatus }),
  Schema.TaggedStruct("Done", {})
)
/**
 * @since 0.1.0
 * @category models
 */
export type Reply = typeof Reply.Type

/**
 * The session's own errors, which cross the wire as they are.
 *
 * @since 0.1.0
 * @category schemas
 */
export const CommandError = Schema.Union(
  SessionClosed,
  ApprovalNotPending,
  AgentUnknown,
  HandoffSuperseded,
  SettingsInvalid,
  SettingsRejected,
  SettingsTimedOut
)
/**
 * @since 0.1.0
 * @category models
 */
export type CommandError = typeof CommandError.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const Refusal = Schema.Union(CallNotHere, CommandUnknown, TextRefused, CommandError)
/**
 * @since 0.1.0
 * @category models
 */
export type Refusal = typeof Refusal.Type

/**
 * A command on its way. `commandId` is the same each time that it is sent: a node carries it out once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Envelope {
  readonly version: number
  readonly commandId: string
  readonly callId: string
  /** A `Command` of that version, as JSON. */
  readonly command: unknown
  /** It was sent before, and may have been carried out by a node that did not answer. */
  readonly again?: boolean
}
