import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { ToolCall } from "./ToolCall.js"

/**
 * How the session runs a tool.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy {
  /** The time limit of the handler. */
  readonly timeout: Duration.Duration
  /** What happens after a failure: a new response, only the output, or the output and then the end of the session. */
  readonly onFailure: "respond" | "silent" | "terminate"
  /** Whether the handler is interrupted when the user interrupts the model. */
  readonly onInterrupt: "continue" | "cancel"
  /** Whether the model is asked to go on after the output. A silent tool never causes a response. */
  readonly reply: "respond" | "silent"
  /** How many calls of this tool may run at once. */
  readonly concurrency: number
  /** Whether the handler may run again for a call that a restart interrupted. */
  readonly idempotent: boolean
  /** The output that the model gets at once, for a tool whose result follows later. */
  readonly deferred: string | undefined
  /** What the model is asked to say, in its own words, if the handler takes longer than `after`. */
  readonly filler: { readonly after: Duration.Duration; readonly text: string } | undefined
}

/**
 * How a tool is run: options of every tool, wherever its schema comes from.
 *
 * @since 0.1.0
 * @category options
 */
export interface PolicyOptions<Args, RApproval, REnabled = never> {
  /** Default: 20 seconds. With `Duration.infinity`, only the handler itself ends the call. */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * Whether the application must approve a call before it runs. An Effect decides on the decoded arguments; if it
   * fails, approval is required. Default: `false`.
   */
  readonly approval?: boolean | ((args: Args, call: ToolCall) => Effect.Effect<boolean, unknown, RApproval>) | undefined
  /**
   * Whether the model has the tool: asked when the agent takes over, at `session.updateTools`, and again before a call
   * runs. If it fails, the tool counts as disabled, and `ToolCheckFailed` is published. Default: always.
   */
  readonly isEnabled?: Effect.Effect<boolean, unknown, REnabled> | undefined
  /**
   * What follows a failure. The model always gets the output. `"respond"`: it is asked to go on. `"silent"`: it is not,
   * except after `maxCallsPerTurn`, for its last reply. `"terminate"`: the session ends with the error. Default:
   * `"respond"`.
   */
  readonly onFailure?: Policy["onFailure"] | undefined
  /**
   * What happens to a call when the user, or `session.interrupt`, interrupts the model. `"continue"`: it goes on.
   * `"cancel"`: its handler is interrupted, and the call fails with `ToolInterrupted`. Default: `"continue"`.
   */
  readonly onInterrupt?: Policy["onInterrupt"] | undefined
  /**
   * What follows the output, of a failure too. `"respond"`: the model is asked to go on. `"silent"`: it is not asked
   * because of this call. Default: `"respond"`.
   */
  readonly reply?: Policy["reply"] | undefined
  /** How many calls of this tool may run at once: 1 or more. Default: no limit. */
  readonly concurrency?: number | undefined
  /**
   * Whether a call that a restart interrupted may run again: set it if the handler has the same effect however often it
   * runs (see `ToolCall.idempotencyKey`). Default: `false`.
   */
  readonly idempotent?: boolean | undefined
  /** What the model should say, in its own words, to a caller who waits longer than `after`. Default: nothing. */
  readonly filler?: { readonly after: Duration.DurationInput; readonly text: string } | undefined
}

/** The policy of a tool with these options, which are valid. */
export const policyOf = (options: Omit<PolicyOptions<never, unknown, unknown>, "approval">): Policy => ({
  timeout: Duration.decode(options.timeout ?? "20 seconds"),
  onFailure: options.onFailure ?? "respond",
  onInterrupt: options.onInterrupt ?? "continue",
  reply: options.reply ?? "respond",
  concurrency: options.concurrency ?? Number.POSITIVE_INFINITY,
  idempotent: options.idempotent ?? false,
  deferred: undefined,
  filler:
    options.filler === undefined
      ? undefined
      : { after: Duration.decode(options.filler.after), text: options.filler.text }
})
