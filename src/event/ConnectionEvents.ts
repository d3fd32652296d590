/** The connection, and what the server sends besides the conversation. */
import * as Schema from "effect/Schema"

/** A hosted MCP server lists its tools, or runs one. */
export const McpProgressed = Schema.TaggedStruct("McpProgressed", {
  itemId: Schema.String,
  what: Schema.Literal("ListTools", "Call"),
  state: Schema.Literal("InProgress", "Completed", "Failed")
})

/**
 * The tools of a hosted MCP server could not be read, so the model does not have them. The call of the session goes on.
 * `by`: the server says so, or it took longer than `hostedImportTimeout`.
 */
export const HostedImportFailed = Schema.TaggedStruct("HostedImportFailed", {
  agent: Schema.String,
  /** Its label, if the server says which one it is. */
  server: Schema.UndefinedOr(Schema.String),
  by: Schema.Literal("server", "deadline")
})

/** The server sent its rate limits: what is left of each, and the seconds until it is full again. */
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

/** The connection was lost. If `willReconnect`, calls go on, and what is to be sent is kept. */
export const ConnectionLost = Schema.TaggedStruct("ConnectionLost", {
  /** WebSocket close code; 1006 if there was no CLOSE frame. */
  code: Schema.Number,
  message: Schema.String,
  willReconnect: Schema.Boolean
})

/** The session will try to connect again. */
export const Reconnecting = Schema.TaggedStruct("Reconnecting", {
  /** Counted from 1. */
  attempt: Schema.Number,
  /** How long until the attempt, in milliseconds. */
  delayMs: Schema.Number
})

/** A new connection has the settings and the conversation, after a loss or because the old one was about to end. */
export const Reconnected = Schema.TaggedStruct("Reconnected", {
  /** The number of the connection, counted from 0. */
  epoch: Schema.Number,
  /** How many items were sent to the server again. */
  replayed: Schema.Number,
  /**
   * Ids of items that were not sent again, or not whole: a client cannot create them, they were beyond the limits, or the audio
   * of a part without a transcript is no longer kept. What was sent in part is still in the conversation.
   */
  omitted: Schema.Array(Schema.String),
  /** How many messages and outputs waited for the connection and were sent now. */
  deferred: Schema.Number
})

/** A client event was dropped: there was no connection, and the event means nothing to the next one. */
export const ClientEventDropped = Schema.TaggedStruct("ClientEventDropped", { type: Schema.String })

/** The server reported an error. Most errors do not affect the session. */
export const ServerErrorReceived = Schema.TaggedStruct("ServerErrorReceived", {
  type: Schema.UndefinedOr(Schema.String),
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  param: Schema.UndefinedOr(Schema.String),
  /** The id of the client event that caused the error. */
  eventId: Schema.UndefinedOr(Schema.String)
})

/** A server event as it was sent: of a type that has no event of its own, or requested with `rawEvents`. */
export const ServerEventReceived = Schema.TaggedStruct("ServerEventReceived", {
  type: Schema.String,
  event: Schema.Unknown
})

/** A frame did not follow the protocol. The session used what it could read. */
export const ProtocolViolation = Schema.TaggedStruct("ProtocolViolation", {
  type: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  /** The beginning of the frame, up to 500 characters. */
  excerpt: Schema.String
})
