import * as Schema from "effect/Schema"

/**
 * One option that is not what it should be.
 *
 * @since 0.1.0
 * @category models
 */
export const OptionProblem = Schema.Struct({
  /** Its name, such as `maxOpenCalls` or `replay.maxItems`. */
  option: Schema.String,
  /** What it is, as text: what an object holds is not shown. */
  value: Schema.String,
  /** What it should be. */
  message: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface OptionProblem extends Schema.Schema.Type<typeof OptionProblem> {}

/**
 * Options that cannot be used: such as a limit below its least, or text that is not a duration. Every problem is listed, so that one round
 * of mending is enough, and nothing was begun.
 *
 * `Session.make`, `Session.resume`, `OpenAiRealtime.layer`, `EmbeddedRealtime.serve` and `Testing.chaos` fail with it, for
 * their options often come from a configuration. Where `Tool.make` or a guardrail gets them, it is thrown; in
 * `session.subscribe` and in a server in memory, it is a defect.
 *
 * @since 0.1.0
 * @category errors
 */
export class OptionsInvalid extends Schema.TaggedError<OptionsInvalid>("effect-realtime/OptionsInvalid")(
  "OptionsInvalid",
  {
    /** Whose options they are, such as `Session.make`. */
    of: Schema.String,
    problems: Schema.Array(OptionProblem)
  }
) {
  override get message(): string {
    return `The options of ${this.of} cannot be used: ${this.problems.map(({ message }) => message).join(" ")}`
  }
}
