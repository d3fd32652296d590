import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"
import type { ApiKeyUnavailable, CallGone } from "../RealtimeModel.js"

/**
 * The service answered, and did not do it.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestRefused extends TaggedError<RequestRefused>()("RequestRefused", {
  /** What was asked for, such as `accept`. */
  action: Schema.String,
  /** HTTP status of the answer. */
  status: Schema.Number,
  /** The service's name of the reason, such as `unknown_parameter`. */
  code: Schema.optional(Schema.String),
  /** The field of the request that it is about, such as `session.type`. */
  param: Schema.optional(Schema.String),
  /** What the service said, without keys, and what to do next. */
  message: Schema.String
}) {}

/**
 * What was asked for cannot be. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestInvalid extends TaggedError<RequestInvalid>()("RequestInvalid", {
  /** What was asked for, such as `create`. */
  action: Schema.String,
  /** What it was given, such as `offer`. */
  param: Schema.String,
  /** What to do next. */
  message: Schema.String
}) {}

/**
 * There was no answer: the service could not be reached, or took too long. Only attempts that never reached it were
 * repeated. If `mayBeDone`, the service may have done what it was asked for.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallsUnreachable extends TaggedError<CallsUnreachable>()("CallsUnreachable", {
  /** What was asked for, such as `accept`. */
  action: Schema.String,
  mayBeDone: Schema.Boolean,
  /** What to do next. */
  message: Schema.String
}) {}

/**
 * Why a request about calls failed.
 *
 * @since 0.1.0
 * @category errors
 */
export type CallsError = ApiKeyUnavailable | CallGone | RequestInvalid | RequestRefused | CallsUnreachable
