/** Responses of the model, and requests whose response never came. */
import * as Schema from "effect/Schema"
import { Metadata } from "../protocol/fields.js"
import { Usage } from "../protocol/Response.js"

/**
 * What made the session ask for a response. Waiting requests are combined, so there may be several of each.
 *
 * @since 0.1.0
 * @category models
 */
export const ResponseCause = Schema.Struct({
  /** Items that were added to the conversation to be answered, including what `sendText` returned. */
  itemIds: Schema.Array(Schema.String),
  /** Calls whose outputs the model must read. */
  callIds: Schema.Array(Schema.String),
  /** The responses that made these calls, or were cut off. This response goes on after them. */
  responseIds: Schema.Array(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ResponseCause extends Schema.Schema.Type<typeof ResponseCause> {}

const caused = {
  /** What made the session ask for it; absent if the server began the response by itself, and for `requestResponse`. */
  cause: Schema.optional(ResponseCause)
}

const ofResponse = {
  responseId: Schema.String,
  /** The id that `session.requestResponse` returned; absent if the server began the response, or does not say. */
  requestId: Schema.UndefinedOr(Schema.String),
  /** Whether the response is outside the conversation (`conversation: "none"`). */
  outOfBand: Schema.Boolean,
  /** The metadata of the request, as the server returned it. */
  metadata: Schema.UndefinedOr(Metadata),
  ...caused
}

/** A response has begun. */
export const ResponseStarted = Schema.TaggedStruct("ResponseStarted", ofResponse)

/** A response ended, in any way: see `status`. */
export const ResponseDone = Schema.TaggedStruct("ResponseDone", {
  ...ofResponse,
  /** `completed`, `cancelled`, `failed`, `incomplete`, or another status from the server. */
  status: Schema.String,
  /** Why it is not completed: `turn_detected`, `max_output_tokens`, an error code, … */
  reason: Schema.UndefinedOr(Schema.String),
  /** What the server says about a failure, for a person to read. */
  message: Schema.optional(Schema.String),
  usage: Schema.UndefinedOr(Usage)
})

/**
 * The server did not begin a response that was requested or that it owes to a spoken turn, or it fell silent within one.
 */
export const ResponseStalled = Schema.TaggedStruct("ResponseStalled", {
  responseId: Schema.UndefinedOr(Schema.String),
  /** The request under which the response is requested again, if it is owed. */
  requestId: Schema.UndefinedOr(Schema.String),
  ...caused
})

/**
 * A response is owed and will not be requested again. The caller hears nothing unless the application acts, or another
 * process resumes the session and asks once more. Or an interruption stopped a request with parameters before it had a
 * response.
 */
export const ResponseLost = Schema.TaggedStruct("ResponseLost", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String),
  /** Whether an interruption stopped it: nobody waits for it any more. */
  interrupted: Schema.Boolean,
  ...caused
})

/** The server refused a request for a response. */
export const ResponseRefused = Schema.TaggedStruct("ResponseRefused", {
  requestId: Schema.String,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  /** How long until the request is made again, in milliseconds; absent if it is not. */
  retryInMs: Schema.UndefinedOr(Schema.Number),
  ...caused
})
