/**
 * A transfer of the conversation to another agent, which the model may ask for.
 *
 * @since 0.1.0
 * @module
 */
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import { parseOptions } from "./tool/arguments.js"
import { type FunctionDefinition, functionDefinition } from "./tool/definition.js"
import * as enabled from "./tool/enabled.js"
import type { Fixed } from "./tool/Fixed.js"
import { type Parameters, structOf } from "./tool/parameters.js"
import type { ToolCall } from "./tool/ToolCall.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-realtime/Handoff")

/**
 * The agent that takes over, or the name of one that is wired later.
 *
 * @since 0.1.0
 * @category models
 */
export type Target = string | { readonly name: string }

/**
 * A handoff whose callback fails with `E` and requires `R`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handoff<out To extends Target = Target, out E = unknown, out R = unknown> {
  readonly [TypeId]: typeof TypeId
  readonly target: To
  /** The function as the API gets it, or why there is none. */
  readonly definition: Either.Either<FunctionDefinition, string>
  /** The schema of the input. */
  readonly input: { readonly ast: SchemaAST.AST }
  /** Whether the model may ask for it now. An Effect that fails counts as `false`. */
  readonly isEnabled: Effect.Effect<boolean, unknown, R>
  /** Decodes the input, and returns what to run before the transfer. */
  readonly prepare: (
    input: unknown,
    call: ToolCall
  ) => Effect.Effect<Effect.Effect<void, E, R>, ParseResult.ParseError, R>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<P extends Schema.Struct.Fields, E, R, REnabled> {
  /** When to hand over, for the model. Default: a sentence that names the agent. */
  readonly description?: string
  /** The function's name. Default: `transfer_to_` and the agent's name. */
  readonly name?: string
  /**
   * The fields of the input, or a struct of them: what the model tells the next agent or the application. Default:
   * none.
   */
  readonly input?: Parameters<P>
  /** Runs before the transfer. If it fails, the agent keeps the conversation. */
  readonly onHandoff?: (input: Schema.Struct.Type<NoInfer<P>>, call: ToolCall) => Effect.Effect<unknown, E, R>
  /**
   * Whether to offer the handoff: asked when the agent takes over, at `session.updateTools`, and again before a call
   * runs. Default: always.
   */
  readonly isEnabled?: Effect.Effect<boolean, unknown, REnabled>
}

/**
 * A handoff to an agent, or to the name of one that `Agent.wire` connects later, so that agents may refer to each other
 * in a circle.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { Agent, Handoff } from "effect-realtime"
 *
 * const billing = Agent.make("Billing", { instructions: "Explain invoices." })
 *
 * export const frontDesk = Agent.make("Front desk", {
 *   instructions: "Find out what the caller wants.",
 *   handoffs: [
 *     Handoff.to(billing, {
 *       input: { invoice: Schema.String },
 *       onHandoff: ({ invoice }) => Effect.log(`About invoice ${invoice}`)
 *     })
 *   ]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function to<
  const To extends Target,
  E = never,
  R = never,
  P extends Schema.Struct.Fields = Record<never, never>,
  REnabled = never
>(
  target: To,
  options?: Options<P, E, R, REnabled>
): Handoff<To, Fixed<E>, Fixed<Exclude<R, Scope.Scope> | REnabled | Schema.Struct.Context<P>>>
export function to(
  target: Target,
  options: {
    readonly description?: string
    readonly name?: string
    readonly input?: Parameters<Schema.Struct.Fields>
    onHandoff?(input: unknown, call: ToolCall): Effect.Effect<unknown, unknown, unknown>
    readonly isEnabled?: Effect.Effect<boolean, unknown, unknown>
  } = {}
): Handoff {
  const name = nameOf(target)
  const input = structOf(`Handoff.to(${JSON.stringify(name)})`, "input", options.input)
  const decode = Schema.decodeUnknown(input)
  const { onHandoff } = options
  return {
    [TypeId]: TypeId,
    target,
    definition: functionDefinition(
      options.name ?? `transfer_to_${name.replace(/[^a-zA-Z0-9_-]+/g, "_")}`,
      options.description ?? `Hands the conversation over to ${name}, who can help with this.`,
      input
    ),
    input,
    isEnabled: options.isEnabled ?? enabled.always,
    prepare: (raw, call) =>
      Effect.map(decode(raw, parseOptions(call)), (input) =>
        onHandoff === undefined
          ? Effect.void
          : Effect.asVoid(Effect.scoped(Effect.suspend(() => onHandoff(input, call))))
      )
  }
}

/**
 * The name of the agent that takes over.
 *
 * @since 0.1.0
 * @category accessors
 */
export const nameOf = (target: Target): string => (typeof target === "string" ? target : target.name)
