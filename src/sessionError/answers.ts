/** Why a question did not get a whole answer. */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

const ofQuestion = {
  /** The item of the question. */
  itemId: Schema.String,
  /** The responses to the question, as far as any began. */
  responseIds: Schema.Array(Schema.String)
}

const soFar = {
  ...ofQuestion,
  /** What the model had said by then. */
  text: Schema.String
}

/**
 * The server did not answer, or fell silent during its answer, and all retries are used up. Or the answer was lost with
 * the connection.
 *
 * @since 0.1.0
 * @category errors
 */
export class AnswerLost extends TaggedError<AnswerLost>()("AnswerLost", soFar) {
  override get message(): string {
    return "The model did not finish its answer, and the session does not ask again. Ask once more if you still need the answer."
  }
}

/**
 * The server refused to answer, or its response failed for a reason that a retry cannot fix.
 *
 * @since 0.1.0
 * @category errors
 */
export class AnswerRefused extends TaggedError<AnswerRefused>()("AnswerRefused", {
  ...soFar,
  code: Schema.UndefinedOr(Schema.String),
  /** The server's message, or a sentence of the library if the server sent none. */
  reason: Schema.String
}) {
  override get message(): string {
    const code = this.code === undefined ? "" : ` (${this.code})`
    return `The server did not answer${code}: ${this.reason} Change what the reason names, then ask again.`
  }
}

/**
 * A guardrail stopped the answer, or found that the question must not be answered. What the model says instead is
 * another response.
 *
 * @since 0.1.0
 * @category errors
 */
export class AnswerBlocked extends TaggedError<AnswerBlocked>()("AnswerBlocked", {
  ...ofQuestion,
  guardrail: Schema.String,
  /** What was checked: `"Input"` is the question, and `"Output"` the model's words. As in `GuardrailTripped`. */
  subject: Schema.Literal("Output", "Input"),
  /** The text that the model gets. */
  feedback: Schema.String
}) {
  override get message(): string {
    return this.subject === "Input"
      ? `The guardrail ${this.guardrail} stopped the question. \`feedback\` is what the model is told. Ask something else.`
      : `The guardrail ${this.guardrail} stopped the answer. \`feedback\` is what the model is told; \`session.events\` has what it says instead.`
  }
}

/**
 * The user or the application interrupted the answer before it was complete.
 *
 * @since 0.1.0
 * @category errors
 */
export class AnswerInterrupted extends TaggedError<AnswerInterrupted>()("AnswerInterrupted", soFar) {
  override get message(): string {
    return "The answer was interrupted. What the model had said by then is in `text`."
  }
}

/**
 * Why a question did not get a whole answer.
 *
 * @since 0.1.0
 * @category errors
 */
export const AnswerError = Schema.Union(AnswerLost, AnswerRefused, AnswerBlocked, AnswerInterrupted)
/**
 * @since 0.1.0
 * @category errors
 */
export type AnswerError = AnswerLost | AnswerRefused | AnswerBlocked | AnswerInterrupted
