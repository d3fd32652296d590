/**
 * Checks on what the model says, on what the user says, and on the input and output of tools.
 *
 * @since 0.1.0
 * @module
 */
import * as Effect from "effect/Effect"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"

/**
 * The result of a check. `feedback` says why it tripped: the model reads it after its speech was cut, or in place of
 * the output of a tool.
 *
 * @since 0.1.0
 * @category models
 */
export type Verdict = { readonly _tag: "Pass" } | { readonly _tag: "Trip"; readonly feedback: string }

/**
 * @since 0.1.0
 * @category verdicts
 */
export const pass: Verdict = { _tag: "Pass" }

/**
 * @since 0.1.0
 * @category verdicts
 */
export const trip = (feedback: string): Verdict => ({ _tag: "Trip", feedback })

/**
 * What is checked: the model's words while it speaks, the user's words once transcribed, the arguments of a call before
 * it runs, or its output before the model gets it.
 *
 * @since 0.1.0
 * @category models
 */
export type Subject = "Output" | "Input" | "ToolInput" | "ToolOutput"

/**
 * @since 0.1.0
 * @category models
 */
export interface Context {
  readonly agent: string
  /** The name of the tool, for `ToolInput` and `ToolOutput`. */
  readonly tool: string | undefined
}

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-realtime/Guardrail")

/**
 * A check that requires `R`. `text` is all that was said of an item so far, or the arguments or output as JSON text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Guardrail<out R = unknown> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  readonly subject: Subject
  /** The number of new characters after which an output is checked again. The end of an item is always checked. */
  readonly debounce: number
  /**
   * Whether a check that fails counts as passed (`open`) or as tripped (`closed`). The failure is published in both
   * cases.
   */
  readonly onFailure: "open" | "closed"
  readonly check: (text: string, context: Context) => Effect.Effect<Verdict, unknown, R>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<R> {
  readonly check: (text: string, context: Context) => Effect.Effect<Verdict, unknown, R>
  /**
   * How to count a check that fails, or that takes longer than 10 seconds. Default: `"open"`; for the arguments of
   * tools `"closed"`, because a call that has run cannot be undone.
   */
  readonly onFailure?: "open" | "closed"
}

const make =
  (subject: Subject, onFailure: "open" | "closed") =>
  <R = never>(name: string, options: Options<R> & { readonly debounce?: number }): Guardrail<R> => {
    Rule.validateOrThrow(`the guardrail ${JSON.stringify(name)}`, rules.guardrail, options)
    return {
      [TypeId]: TypeId,
      name,
      subject,
      debounce: options.debounce ?? 100,
      onFailure: options.onFailure ?? onFailure,
      check: (text, context) => Effect.suspend(() => options.check(text, context))
    }
  }

/**
 * Checks what the model says: while it speaks, and once more at the end. A trip cancels the response, cuts what was not
 * heard yet, tells the model why, and asks it to go on.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Agent, Guardrail } from "effect-realtime"
 *
 * const noPrices = Guardrail.output("no_prices", {
 *   check: (text) => Effect.succeed(text.includes("€") ? Guardrail.trip("Do not name prices.") : Guardrail.pass)
 * })
 *
 * export const agent = Agent.make("Desk", { instructions: "Help.", guardrails: [noPrices] })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const output: <R = never>(
  name: string,
  options: Options<R> & {
    /**
     * How many more characters (UTF-16 code units) the model has said when it is checked again. The end of what it says
     * is always checked. Default: 100.
     */
    readonly debounce?: number
  }
) => Guardrail<R> = make("Output", "open")

/**
 * Checks what the user says, as text or as a transcript. The session's settings must ask for transcripts. A trip stops
 * the response in progress, as with `output`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const input: <R = never>(name: string, options: Options<R>) => Guardrail<R> = make("Input", "open")

/**
 * Checks the arguments of every call to the agent's tools before it runs. After a trip, the output of the call is the
 * feedback.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolInput: <R = never>(name: string, options: Options<R>) => Guardrail<R> = make("ToolInput", "closed")

/**
 * Checks the output of every call to the agent's tools. After a trip, the model gets the feedback instead.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolOutput: <R = never>(name: string, options: Options<R>) => Guardrail<R> = make("ToolOutput", "open")
