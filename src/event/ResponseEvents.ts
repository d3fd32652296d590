/** The model's responses, and those that were asked for and never came. */
import * as Schema from "effect/Schema"
import { Metadata } from "../protocol/fields.js"
import { Usage } from "../protocol/Response.js"

/** The `reason` of a response that its connection took along. */
export const connectionLost = "connection_lost"

const ofResponse = {
  responseId: Schema.String,
  /** What `session.requestResponse` gave back; absent where the server began the response by itself, or does not say. */
  requestId: Schema.UndefinedOr(Schema.String),
  /** Whether it is beside the conversation: its items are in none. */
  outOfBand: Schema.Boolean,
  /** What the request was given, as the server says it back. */
  metadata: Schema.UndefinedOr(Metadata)
}

export const ResponseStarted = Schema.TaggedStruct("ResponseStarted", ofResponse)

/** A response ended, in whatever way: look at `status`. */
export const ResponseDone = Schema.TaggedStruct("ResponseDone", {
  ...ofResponse,
  /** `completed`, `cancelled`, `failed`, `incomplete`, or what else the server says. */
  status: Schema.String,
  /** Why, where it is not completed: `turn_detected`, `max_output_tokens`, an error code, … */
  reason: Schema.UndefinedOr(Schema.String),
  usage: Schema.UndefinedOr(Usage)
})

/**
 * The server did not begin a response that was asked for, or that it owes to what the user said; or it went silent in the
 * middle of it. `requestId`: of the request under which it is asked for again, where it is owed.
 */
export const ResponseStalled = Schema.TaggedStruct("ResponseStalled", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String)
})

/** A response is owed and will not be asked for again: the caller hears nothing unless the application acts. */
export const ResponseLost = Schema.TaggedStruct("ResponseLost", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String)
})

/** The server refused a request for a response. */
export const ResponseRefused = Schema.TaggedStruct("ResponseRefused", {
  requestId: Schema.String,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  /** When it is made again, where the reason may pass; absent where it is not. */
  retryInMs: Schema.UndefinedOr(Schema.Number)
})
