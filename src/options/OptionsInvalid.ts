import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * One invalid option.
 *
 * @since 0.1.0
 * @category models
 */
export const OptionProblem = Schema.Struct({
  /** Its name, such as `maxOpenCalls` or `replay.maxItems`. */
  option: Schema.String,
  /** The value as text. The contents of objects are not shown. */
  value: Schema.String,
  /** What the option should be. */
  message: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface OptionProblem extends Schema.Schema.Type<typeof OptionProblem> {}

/**
 * Options that cannot be used, such as a limit below its minimum, or text that is not a duration. The error lists every
 * problem, so that you can fix all of them at once. Nothing was started.
 *
 * `Session.make`, `Session.resume`, `OpenAiRealtime.layer`, `EmbeddedRealtime.serve` and `Testing.chaos` fail with it,
 * because their options often come from a configuration. `Tool.make` and guardrails throw it. In `session.subscribe`
 * and in a server in memory, it is a defect.
 *
 * @since 0.1.0
 * @category errors
 */
export class OptionsInvalid extends TaggedError<OptionsInvalid>()("OptionsInvalid", {
  /** The constructor that was given the options, such as `Session.make`. */
  of: Schema.String,
  problems: Schema.Array(OptionProblem)
}) {
  override get message(): string {
    return `The options of ${this.of} cannot be used: ${this.problems.map(({ message }) => message).join(" ")}`
  }
}
