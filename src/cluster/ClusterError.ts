/**
 * Why a call on another machine could not be reached, begun or kept.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * No call with this id was ever started, or it ended so long ago that it was forgotten.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUnknown extends TaggedError<CallUnknown>()("CallUnknown", { callId: Schema.String }) {
  override get message(): string {
    return `There is no call ${JSON.stringify(this.callId)}. Start it with CallHost.start, or check the id.`
  }
}

/**
 * The call is over: nothing can be done with it, on any node.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallEnded extends TaggedError<CallEnded>()("CallEnded", {
  callId: Schema.String,
  /** `failed`: it ended because of an error, which the log of its node has. */
  state: Schema.Literal("ended", "failed")
}) {
  override get message(): string {
    const why = this.state === "failed" ? " because of an error, which the log of its node has" : ""
    return `Call ${JSON.stringify(this.callId)} has ended${why}. Start a new one.`
  }
}

/**
 * No node answered for the call in time. It is not known whether the command was carried out. The same command may be
 * sent again with the same id.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUnreachable extends TaggedError<CallUnreachable>()("CallUnreachable", {
  callId: Schema.String,
  /** How long it was tried, in milliseconds. */
  afterMs: Schema.Number,
  /** What the last try met. */
  reason: Schema.String
}) {
  override get message(): string {
    return `Call ${JSON.stringify(this.callId)} could not be reached for ${this.afterMs / 1000} seconds: ${this.reason} Try again later, and look at the nodes and the database.`
  }
}

/**
 * A call with this id exists already, or existed.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallExists extends TaggedError<CallExists>()("CallExists", { callId: Schema.String }) {
  override get message(): string {
    return `Call ${JSON.stringify(this.callId)} exists already. Use CallHost.adopt to have it here, or choose another id.`
  }
}

/**
 * The node begins no calls: it is about to stop, it holds as many as it may, or its lease has run out.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotAccepting extends TaggedError<NotAccepting>()("NotAccepting", {
  nodeId: Schema.String,
  reason: Schema.Literal("draining", "full", "lapsed")
}) {
  override get message(): string {
    return `Node ${this.nodeId} takes no calls: ${reasons[this.reason]} Start the call on another node.`
  }
}

const reasons = {
  draining: "it is about to stop.",
  full: "it has as many as `maxCalls` allows.",
  lapsed: "its lease has run out, because it could not reach the database."
}

/**
 * The directory of calls could not be read or changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class DirectoryFailed extends TaggedError<DirectoryFailed>()("DirectoryFailed", {
  operation: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `The directory of calls could not ${this.operation}: ${this.reason} Look at the database: is it reachable, may this user create and change tables, and are they of this version?`
  }
}

/**
 * Another node that is alive has the same address.
 *
 * @since 0.1.0
 * @category errors
 */
export class AddressInUse extends TaggedError<AddressInUse>()("AddressInUse", {
  address: Schema.String,
  /** The node that has it. */
  nodeId: Schema.String
}) {
  override get message(): string {
    return `Node ${this.nodeId} is alive, and has the address ${this.address}. Give each node an address of its own, at which the others reach it.`
  }
}

/**
 * The node does not have the call, so it did nothing. `moving`: it has just given it away.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallNotHere extends TaggedError<CallNotHere>()("CallNotHere", {
  callId: Schema.String,
  moving: Schema.Boolean
}) {
  override get message(): string {
    return `Call ${JSON.stringify(this.callId)} is not on this node${this.moving ? ": it is moving to another one" : ""}. Look it up again.`
  }
}

/**
 * The model's server did not take the words of `sendText`: they are not in the conversation.
 *
 * @since 0.1.0
 * @category errors
 */
export class TextRefused extends TaggedError<TextRefused>()("TextRefused", {
  callId: Schema.String,
  itemId: Schema.String,
  /** What the server said. */
  reason: Schema.String
}) {
  override get message(): string {
    return `The words ${JSON.stringify(this.itemId)} for call ${JSON.stringify(this.callId)} were refused: ${this.reason} Send other words, or choose another id: OpenAI takes ids of 1 to 32 characters.`
  }
}

/**
 * The node is of an earlier version, and does not know this command.
 *
 * @since 0.1.0
 * @category errors
 */
export class CommandUnknown extends TaggedError<CommandUnknown>()("CommandUnknown", {
  /** The version of the node. */
  version: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `The node of the call speaks version ${this.version} of the commands, and does not know this one: ${this.reason} Try again when all nodes are updated.`
  }
}
