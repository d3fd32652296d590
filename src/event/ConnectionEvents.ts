/** The connection, and what the server says over it beside the conversation. */
import * as Schema from "effect/Schema"

/** How a hosted MCP server is doing: listing its tools, or running one. */
export const McpProgressed = Schema.TaggedStruct("McpProgressed", {
  itemId: Schema.String,
  what: Schema.Literal("ListTools", "Call"),
  state: Schema.Literal("InProgress", "Completed", "Failed")
})

/** What may still be used before the server refuses. `resetSeconds` until the limit is whole again. */
export const RateLimitsUpdated = Schema.TaggedStruct("RateLimitsUpdated", {
  limits: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      limit: Schema.Number,
      remaining: Schema.Number,
      resetSeconds: Schema.Number
    })
  )
})

/** The connection ended from the other side. Calls go on, and what is to be sent is kept, if `willReconnect`. */
export const ConnectionLost = Schema.TaggedStruct("ConnectionLost", {
  /** WebSocket close code; 1006 where the other side vanished. */
  code: Schema.Number,
  message: Schema.String,
  willReconnect: Schema.Boolean
})

/** Another connection is tried after `delayMs` milliseconds; the attempts are counted from 1. */
export const Reconnecting = Schema.TaggedStruct("Reconnecting", { attempt: Schema.Number, delayMs: Schema.Number })

/** A new connection has the settings and the conversation: after a loss, or because the old one was about to end. */
export const Reconnected = Schema.TaggedStruct("Reconnected", {
  /** The connections of a session are numbered from 0. */
  epoch: Schema.Number,
  /** Items that the server was told again. */
  replayed: Schema.Number,
  /** Items that it does not know any more: those that a client can not create, or that were beyond the limits. */
  omitted: Schema.Array(Schema.String),
  /** What was meant meanwhile and was sent now: messages, and outputs of calls. */
  deferred: Schema.Number
})

/** An event that was given to `send` while there was no connection, and that means nothing to the next one. */
export const ClientEventDropped = Schema.TaggedStruct("ClientEventDropped", { type: Schema.String })

/** The server reported an error. Most leave the session as it was. */
export const ServerErrorReceived = Schema.TaggedStruct("ServerErrorReceived", {
  type: Schema.UndefinedOr(Schema.String),
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  param: Schema.UndefinedOr(Schema.String),
  /** The event of ours that it is about. */
  eventId: Schema.UndefinedOr(Schema.String)
})

/** An event that has no counterpart here, as the server sent it. */
export const ServerEventReceived = Schema.TaggedStruct("ServerEventReceived", {
  type: Schema.String,
  event: Schema.Unknown
})

/** A frame that is not what the protocol says. The session took from it what it could. */
export const ProtocolViolation = Schema.TaggedStruct("ProtocolViolation", {
  type: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  excerpt: Schema.String
})
