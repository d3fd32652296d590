/**
 * Checks on what the model says, what the user says, and what tools take and give.
 *
 * @since 0.1.0
 * @module
 */
import * as Effect from "effect/Effect"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"

/**
 * What a check found. A trip says why, to whom it concerns: the model reads `feedback` after what it said was cut, or in
 * place of the output of a tool.
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
 * What is checked: the model's words as they are said, the user's words when they were transcribed, the arguments of a
 * call before it runs, or its output before the model has it.
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
  /** The tool, where the subject is one's. */
  readonly tool: string | undefined
}

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-realtime/Guardrail")

/**
 * A check that requires `R`. `text` is all that was said of an item so far, or the JSON text of arguments or output.
 *
 * @since 0.1.0
 * @category models
 */
export interface Guardrail<out R = unknown> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  readonly subject: Subject
  /** How many characters more make an output worth another check; the end of an item always is. */
  readonly debounce: number
  /** Whether a check that fails counts as passed, or as tripped. It is published in any case. */
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
   * What a check counts as that fails, or is not done within 10 seconds. Default: `"open"`; for the arguments of tools
   * `"closed"`, for what has run can not be taken back.
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
 * Checks what the model says, while it says it and once more at the end. A trip cancels that response, cuts what was not
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
export const output: <R = never>(name: string, options: Options<R> & { readonly debounce?: number }) => Guardrail<R> =
  make("Output", "open")

/**
 * Checks what the user said, on the transcript (the session's settings must ask for one) or on text. A trip does the
 * same to the response that is under way.
 *
 * @since 0.1.0
 * @category constructors
 */
export const input: <R = never>(name: string, options: Options<R>) => Guardrail<R> = make("Input", "open")

/**
 * Checks the arguments of every call of the agent's tools, before they run. A trip answers the call with the feedback.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolInput: <R = never>(name: string, options: Options<R>) => Guardrail<R> = make("ToolInput", "closed")

/**
 * Checks the output of every call of the agent's tools. A trip puts the feedback in its place.
 *
 * @since 0.1.0
 * @category constructors
 */
export const toolOutput: <R = never>(name: string, options: Options<R>) => Guardrail<R> = make("ToolOutput", "open")
