/** Why a call could not begin, why it ended, and why a command was not carried out. */
import * as Schema from "effect/Schema"
import { EndReason } from "../gateway/Protocol.js"

const said = (reason: string): string => (reason === "" ? "" : ` The reason: ${reason}`)

/**
 * No call could begin: the gateway cannot be reached, or does not accept this client. Browsers do not reveal which.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectFailed extends Schema.TaggedError<ConnectFailed>("effect-realtime/gateway-client/ConnectFailed")(
  "ConnectFailed",
  {
    url: Schema.String,
    /** The code of the CLOSE frame (see `GatewayProtocol.closeCodes`); 1006 if there was none. */
    code: Schema.Number,
    reason: Schema.String
  }
) {
  override get message(): string {
    return `No call could begin at ${this.url} (${this.code}).${said(this.reason)} Check that the gateway runs, that the token is right, and that this page's origin is in the gateway's \`origins\`.`
  }
}

/**
 * The socket broke, and the call could not be resumed.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallLost extends Schema.TaggedError<CallLost>("effect-realtime/gateway-client/CallLost")("CallLost", {
  /** The code of the CLOSE frame of the last socket; 1006 if there was none. */
  code: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `The connection broke, and the call could not be resumed (${this.code}).${said(this.reason)} Begin another call.`
  }
}

/**
 * The gateway ended the call, for a reason other than `hangUp`.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallEnded extends Schema.TaggedError<CallEnded>("effect-realtime/gateway-client/CallEnded")("CallEnded", {
  reason: EndReason,
  /** From the gateway. */
  message: Schema.String
}) {}

/**
 * The session did not carry out a command.
 *
 * @since 0.1.0
 * @category errors
 */
export class CommandFailed extends Schema.TaggedError<CommandFailed>("effect-realtime/gateway-client/CommandFailed")(
  "CommandFailed",
  {
    command: Schema.String,
    /** The session's error. */
    error: Schema.Struct({ _tag: Schema.String, message: Schema.String })
  }
) {
  override get message(): string {
    return `${this.command} was not carried out: ${this.error.message}`
  }
}

/**
 * A command was not sent, or not answered before the call ended.
 *
 * - `CallOver`: the call is over.
 * - `TooMany`: too many commands wait for an answer, or too long ones.
 * - `TooLarge`: the command is longer than the gateway allows (`Welcome.maxMessageBytes`).
 *
 * @since 0.1.0
 * @category errors
 */
export class CommandNotSent extends Schema.TaggedError<CommandNotSent>("effect-realtime/gateway-client/CommandNotSent")(
  "CommandNotSent",
  { command: Schema.String, why: Schema.Literal("CallOver", "TooMany", "TooLarge") }
) {
  override get message(): string {
    const why = {
      CallOver: "the call is over. Begin another call.",
      TooMany: "too many commands wait for an answer. Wait for them first.",
      TooLarge: "it is longer than the gateway allows. Send a shorter text."
    }
    return `${this.command} was not sent: ${why[this.why]}`
  }
}
