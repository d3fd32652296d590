/**
 * A tool: a function that the model may call, and the Effect program that answers the call.
 *
 * @since 0.1.0
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import type { Hint } from "./options/Hint.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import { type FunctionDefinition, functionDefinition } from "./tool/definition.js"
import { effectOf } from "./tool/effectOf.js"
import * as enabled from "./tool/enabled.js"
import type { Fixed } from "./tool/Fixed.js"
import { type Policy, type PolicyOptions, policyOf } from "./tool/Policy.js"
import type { Prepare } from "./tool/Prepared.js"
import { type Parameters, structOf } from "./tool/parameters.js"
import { prepare } from "./tool/prepare.js"
import type { ToolCall } from "./tool/ToolCall.js"
import type { Yieldable } from "./tool/Yieldable.js"

export type { FunctionDefinition } from "./tool/definition.js"
export type { Policy, PolicyOptions } from "./tool/Policy.js"
export type { FailureNotEncoded, Prepared } from "./tool/Prepared.js"
export type { ToolCall } from "./tool/ToolCall.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-realtime/Tool")

/**
 * A tool whose handler fails with `E` and requires `R`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tool<out Name extends string = string, out E = unknown, out R = unknown> {
  readonly [TypeId]: typeof TypeId
  readonly name: Name
  readonly description: string
  readonly policy: Policy
  /** Whether the model has it now. An Effect that fails counts as `false`. */
  readonly isEnabled: Effect.Effect<boolean, unknown, R>
  /** The function as the API gets it, or why there is none. */
  readonly definition: Either.Either<FunctionDefinition, string>
  /** The schema of the arguments, for tests that generate arguments. */
  readonly parameters: { readonly ast: SchemaAST.AST }
  readonly prepare: Prepare<E, R>
}

/**
 * The failures of a tool, or of a union of tools.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Failure<T> = T extends Tool<string, infer E, unknown> ? E : never

/**
 * What a tool, or a union of tools, requires.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Requirements<T> = T extends Tool<string, unknown, infer R> ? R : never

/**
 * The service that implements a contract: a tool that was declared without a handler.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handler<Name extends string> {
  readonly _: unique symbol
  readonly tool: Name
}

/**
 * A tool declared without a handler. A user interface can share its schema, and a `Layer` gives the handler, so that
 * tests can replace it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Contract<Name extends string, P extends Schema.Struct.Fields, A, IA, RA, E, IE, RE>
  extends Tool<Name, E, Handler<Name> | Schema.Struct.Context<P> | RA | RE> {
  readonly parameters: Schema.Struct<P>
  readonly success: Schema.Schema<A, IA, RA>
  readonly failure: Schema.Schema<E, IE, RE>
  /** @internal */
  readonly handler: Context.Tag<Handler<Name>, (args: Schema.Struct.Type<P>, call: ToolCall) => Effect.Effect<A, E>>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<P extends Schema.Struct.Fields, RApproval, REnabled = never>
  extends PolicyOptions<Schema.Struct.Type<NoInfer<P>>, RApproval, REnabled> {
  /** What the tool does and when to call it, for the model. */
  readonly description: string
  /** The fields of the arguments, or a struct of them. Default: none. */
  readonly parameters?: Parameters<P> | undefined
}

/**
 * Makes a tool. With a `handler`, the tool's failures and requirements are inferred. If you give a `failure` schema,
 * the handler may only fail with that. Without a handler, the tool is a contract, which `layer` implements. Throws
 * `OptionsInvalid` if a duration or a limit is not valid.
 *
 * The result is encoded with `success`: text goes to the model as it is, anything else as JSON. A handler that requires
 * a `Scope` gets a new one for each call.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { Tool } from "effect-realtime"
 *
 * class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {}
 *
 * export const getWeather = Tool.make("get_weather", {
 *   description: "The weather in a city",
 *   parameters: { city: Schema.String },
 *   failure: CityNotFound,
 *   timeout: "5 seconds",
 *   handler: ({ city }) => (city === "Atlantis" ? new CityNotFound({ city }) : Effect.succeed(`Sunny in ${city}`))
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function make<
  const Name extends string,
  P extends Schema.Struct.Fields = Record<never, never>,
  A = unknown,
  IA = unknown,
  RA = never,
  E = never,
  IE = never,
  RE = never
>(
  name: Name,
  options: Options<P, never> & {
    readonly success?: Schema.Schema<A, IA, RA> | undefined
    readonly failure?: Schema.Schema<E, IE, RE> | undefined
    readonly handler?: never
  }
): Contract<Name, P, A, IA, RA, E, IE, RE>
export function make<
  const Name extends string,
  A,
  E,
  R,
  P extends Schema.Struct.Fields = Record<never, never>,
  IA = unknown,
  RA = never,
  IE = unknown,
  RE = never,
  RApproval = never,
  REnabled = never
>(
  name: Name,
  options: Options<P, RApproval, REnabled> & {
    readonly success?: Schema.Schema<A, IA, RA> | undefined
    readonly failure?: Schema.Schema<E, IE, RE> | undefined
    readonly handler: (
      args: Schema.Struct.Type<NoInfer<P>>,
      call: ToolCall
    ) =>
      | Effect.Effect<A, E, R>
      | Yieldable<A, E, R>
      | Hint<"Return an Effect: Effect.tryPromise makes one of a Promise">
  }
): Tool<Name, E, Fixed<Exclude<R, Scope.Scope> | RA | RE | RApproval | REnabled | Schema.Struct.Context<P>>>
export function make(
  name: string,
  options: Options<Schema.Struct.Fields, unknown, unknown> & {
    readonly success?: Schema.Schema<unknown, unknown, unknown> | undefined
    readonly failure?: Schema.Schema<unknown, unknown, unknown> | undefined
    handler?(args: unknown, call: ToolCall): Effect.Effect<unknown, unknown, unknown> | Hint<string>
  }
): Tool {
  Rule.validateOrThrow(`Tool.make(${JSON.stringify(name)})`, rules.tool, options)
  const parameters = structOf(`Tool.make(${JSON.stringify(name)})`, "parameters", options.parameters)
  const handler = Context.GenericTag<
    Handler<string>,
    (args: unknown, call: ToolCall) => Effect.Effect<unknown, unknown, unknown>
  >(`effect-realtime/Tool/Handler/${name}`)
  const { handler: given } = options
  const handle =
    given === undefined
      ? (args: unknown, call: ToolCall) => Effect.flatMap(handler, (implementation) => implementation(args, call))
      : (args: unknown, call: ToolCall) => effectOf(name, given(args, call))

  return {
    [TypeId]: TypeId,
    name,
    description: options.description,
    policy: policyOf(options),
    isEnabled: options.isEnabled ?? enabled.always,
    definition: functionDefinition(name, options.description, parameters),
    parameters,
    prepare: prepare({
      decode: Schema.decodeUnknown(parameters),
      success: options.success,
      failure: options.failure,
      approval: options.approval ?? false,
      handle
    }),
    ...(options.handler === undefined
      ? { success: options.success ?? Schema.Unknown, failure: options.failure ?? Schema.Never, handler }
      : {})
  }
}

/**
 * Implements a contract.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { Tool } from "effect-realtime"
 *
 * const bookTable = Tool.make("book_table", {
 *   description: "Books a table",
 *   parameters: { guests: Schema.Int },
 *   success: Schema.Struct({ reference: Schema.String })
 * })
 *
 * export const BookTableLive = Tool.layer(bookTable, ({ guests }) => Effect.succeed({ reference: `T-${guests}` }))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string, P extends Schema.Struct.Fields, A, IA, RA, E, IE, RE, R>(
  contract: Contract<Name, P, A, IA, RA, E, IE, RE>,
  handler: (args: Schema.Struct.Type<P>, call: ToolCall) => Effect.Effect<A, E, R>
): Layer.Layer<Handler<Name>, never, Exclude<R, Scope.Scope>> =>
  Layer.effect(
    contract.handler,
    Effect.map(
      Effect.context<Exclude<R, Scope.Scope>>(),
      (context) => (args: Schema.Struct.Type<P>, call: ToolCall) =>
        Effect.provide(Effect.scoped(Effect.suspend(() => handler(args, call))), context)
    )
  )

/**
 * A tool that answers at once, and delivers its result later. Once the arguments are valid and the call is approved,
 * the model gets the acknowledgement as the output and may go on talking. The result or the failure is later added to
 * the conversation as an item, and the model is asked to speak about it. The tool's own timeout applies: set a long
 * one.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { Tool } from "effect-realtime"
 *
 * const book = Tool.make("book_table", {
 *   description: "Books a table",
 *   parameters: { guests: Schema.Int },
 *   timeout: "5 minutes",
 *   handler: ({ guests }) => Effect.delay(Effect.succeed(`A table for ${guests} is booked.`), "1 minute")
 * })
 *
 * export const bookLater = Tool.deferred(book, "The restaurant is being called. It takes a minute.")
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const deferred = <Name extends string, E, R>(
  tool: Tool<Name, E, R>,
  acknowledgement: string
): Tool<Name, E, R> => ({ ...tool, policy: { ...tool.policy, deferred: acknowledgement } })
