/** The model's responses, and those that were asked for and never came. */
import * as Schema from "effect/Schema"
import { Usage } from "../protocol/Response.js"

const ofResponse = { responseId: Schema.String }

/** `requestId` is absent where the server began the response by itself. */
export const ResponseStarted = Schema.TaggedStruct("ResponseStarted", {
  ...ofResponse,
  requestId: Schema.UndefinedOr(Schema.String)
})

/** A response ended, in whatever way: look at `status`. */
export const ResponseDone = Schema.TaggedStruct("ResponseDone", {
  ...ofResponse,
  /** `completed`, `cancelled`, `failed`, `incomplete`, or what else the server says. */
  status: Schema.String,
  /** Why, where it is not completed: `turn_detected`, `max_output_tokens`, an error code, … */
  reason: Schema.UndefinedOr(Schema.String),
  usage: Schema.UndefinedOr(Usage)
})

/** The server did not begin the response that was asked for, or went silent in the middle of it. */
export const ResponseStalled = Schema.TaggedStruct("ResponseStalled", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String)
})

/** A response stalled and will not be asked for again: the caller hears nothing unless the application acts. */
export const ResponseLost = Schema.TaggedStruct("ResponseLost", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String)
})

/** The server refused a request for a response. */
export const ResponseRefused = Schema.TaggedStruct("ResponseRefused", {
  requestId: Schema.String,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})
