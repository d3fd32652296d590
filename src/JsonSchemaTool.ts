/**
 * Tools whose arguments are described by a JSON Schema that comes from elsewhere: from another program, or from a file. It
 * is a module of its own, so that programs without such tools do not carry what reads and checks JSON Schemas.
 *
 * @since 0.1.0
 * @module
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Hint } from "./options/Hint.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import * as Tool from "./Tool.js"
import { givenDefinition } from "./tool/definition.js"
import { effectOf } from "./tool/effectOf.js"
import * as enabled from "./tool/enabled.js"
import type { Fixed } from "./tool/Fixed.js"
import { parametersOf } from "./tool/jsonSchema/parametersOf.js"
import type { Unchecked } from "./tool/jsonSchema/read.js"
import type { Arguments } from "./tool/jsonSchema/schemaOf.js"
import { type PolicyOptions, policyOf } from "./tool/Policy.js"
import { prepare } from "./tool/prepare.js"
import type { ToolCall } from "./tool/ToolCall.js"
import type { Yieldable } from "./tool/Yieldable.js"

export type { Unchecked } from "./tool/jsonSchema/read.js"
export type { Arguments } from "./tool/jsonSchema/schemaOf.js"

/**
 * A tool whose arguments are described by a JSON Schema.
 *
 * @since 0.1.0
 * @category models
 */
export interface JsonSchemaTool<out Name extends string, out E, out R> extends Tool.Tool<Name, E, R> {
  /** The conditions in the JSON Schema that are not understood, and so are not checked. Usually none. */
  readonly unchecked: ReadonlyArray<Unchecked>
}

/**
 * Makes a tool whose arguments are described by a JSON Schema (draft 2020-12, or what is usual of older ones). The
 * model gets the schema as it is, except for what the API refuses: that is rewritten, or becomes words in a
 * description.
 *
 * Arguments are checked against the given schema before the handler runs, and are not changed: fields that it does not
 * name are kept, and defaults are not filled in. A `format` is not a condition. Conditions that are not understood, such
 * as a reference to another document, are listed in `unchecked`: a value neither keeps nor breaks them.
 *
 * If the JSON Schema itself is not valid, `Session.make` fails with `AgentInvalid`, which says where. Throws
 * `OptionsInvalid` if a duration or a limit is not valid.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { JsonSchemaTool } from "effect-realtime"
 *
 * export const getWeather = JsonSchemaTool.make("get_weather", {
 *   description: "The weather in a city",
 *   parameters: {
 *     type: "object",
 *     properties: { city: { type: "string" }, unit: { enum: ["C", "F"] } },
 *     required: ["city"]
 *   },
 *   handler: ({ city }) => Effect.succeed(`Sunny in ${city}`)
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function make<
  const Name extends string,
  A,
  E,
  R,
  IA = unknown,
  RA = never,
  IE = unknown,
  RE = never,
  RApproval = never,
  REnabled = never
>(
  name: Name,
  options: PolicyOptions<Arguments, RApproval, REnabled> & {
    /** What the tool does and when to call it, for the model. */
    readonly description: string
    /** A JSON Schema of an object, as plain JSON. */
    readonly parameters: object
    readonly success?: Schema.Schema<A, IA, RA> | undefined
    readonly failure?: Schema.Schema<E, IE, RE> | undefined
    readonly handler: (
      args: Arguments,
      call: ToolCall
    ) =>
      | Effect.Effect<A, E, R>
      | Yieldable<A, E, R>
      | Hint<"Return an Effect: Effect.tryPromise makes one of a Promise">
  }
): JsonSchemaTool<Name, E, Fixed<Exclude<R, Scope.Scope> | RA | RE | RApproval | REnabled>>
export function make(
  name: string,
  options: PolicyOptions<Arguments, unknown, unknown> & {
    readonly description: string
    readonly parameters: object
    readonly success?: Schema.Schema<unknown, unknown, unknown> | undefined
    readonly failure?: Schema.Schema<unknown, unknown, unknown> | undefined
    handler(args: Arguments, call: ToolCall): Effect.Effect<unknown, unknown, unknown> | Hint<string>
  }
): JsonSchemaTool<string, unknown, unknown> {
  Rule.validateOrThrow(`JsonSchemaTool.make(${JSON.stringify(name)})`, rules.tool, options)
  const { document, parameters, unchecked } = parametersOf(options.parameters)
  return {
    [Tool.TypeId]: Tool.TypeId,
    name,
    description: options.description,
    policy: policyOf(options),
    isEnabled: options.isEnabled ?? enabled.always,
    definition: givenDefinition(name, options.description, document),
    parameters,
    prepare: prepare({
      decode: Schema.decodeUnknown(parameters),
      success: options.success,
      failure: options.failure,
      approval: options.approval ?? false,
      handle: (args, call) => effectOf(name, options.handler(args, call))
    }),
    unchecked
  }
}
