/** Responses of the model, and those that were requested and never came. */
import * as Schema from "effect/Schema"
import { Metadata } from "../protocol/fields.js"
import { Usage } from "../protocol/Response.js"

/** The `reason` of a response that was lost with its connection. */
export const connectionLost = "connection_lost"

const ofResponse = {
  responseId: Schema.String,
  /** The id that `session.requestResponse` returned; absent if the server began the response, or does not say. */
  requestId: Schema.UndefinedOr(Schema.String),
  /** Whether the response is outside the conversation (`conversation: "none"`). */
  outOfBand: Schema.Boolean,
  /** The metadata of the request, as the server returned it. */
  metadata: Schema.UndefinedOr(Metadata)
}

/** A response has begun. */
export const ResponseStarted = Schema.TaggedStruct("ResponseStarted", ofResponse)

/** A response ended, in any way: see `status`. */
export const ResponseDone = Schema.TaggedStruct("ResponseDone", {
  ...ofResponse,
  /** `completed`, `cancelled`, `failed`, `incomplete`, or another word of the server's. */
  status: Schema.String,
  /** Why it is not completed: `turn_detected`, `max_output_tokens`, an error code, … */
  reason: Schema.UndefinedOr(Schema.String),
  usage: Schema.UndefinedOr(Usage)
})

/**
 * The server did not begin a response that was requested or that it owes to a spoken turn, or it fell silent within one.
 */
export const ResponseStalled = Schema.TaggedStruct("ResponseStalled", {
  responseId: Schema.UndefinedOr(Schema.String),
  /** The request under which the response is requested again, if it is owed. */
  requestId: Schema.UndefinedOr(Schema.String)
})

/**
 * A response is owed and will not be requested again: the caller hears nothing unless the application acts, or another
 * process takes the session up, which asks once more. Or an interruption stopped a request with parameters before it had
 * a response.
 */
export const ResponseLost = Schema.TaggedStruct("ResponseLost", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String),
  /** Whether an interruption stopped it: nobody waits for it any more. */
  interrupted: Schema.Boolean
})

/** The server refused a request for a response. */
export const ResponseRefused = Schema.TaggedStruct("ResponseRefused", {
  requestId: Schema.String,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  /** When the request is made again, in milliseconds; absent if it is not. */
  retryInMs: Schema.UndefinedOr(Schema.Number)
})
