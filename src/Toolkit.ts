/**
 * The tools of a toolkit of `@effect/ai`, unchanged, for an agent. It has its own entry point,
 * `effect-realtime/Toolkit`. It needs `@effect/ai`.
 *
 * @example
 * ```ts
 * import * as Ai from "@effect/ai"
 * import { Effect, Schema } from "effect"
 * import { Agent, Session } from "effect-realtime"
 * import * as Toolkit from "effect-realtime/Toolkit"
 *
 * class NoSuchOrder extends Schema.TaggedError<NoSuchOrder>()("NoSuchOrder", { order: Schema.Int }) {}
 *
 * const Orders = Ai.Toolkit.make(
 *   Ai.Tool.make("cancel_order", {
 *     description: "Cancels an order",
 *     parameters: { order: Schema.Int },
 *     success: Schema.String,
 *     failure: NoSuchOrder
 *   })
 * )
 *
 * const OrdersLive = Orders.toLayer({
 *   cancel_order: ({ order }) => (order > 99 ? new NoSuchOrder({ order }) : Effect.succeed("It is cancelled."))
 * })
 *
 * const agent = Agent.make("Shop", {
 *   instructions: "Help with orders.",
 *   tools: Toolkit.tools(Orders, { cancel_order: { approval: ({ order }) => Effect.succeed(order < 10) } })
 * })
 *
 * // Effect<Session<NoSuchOrder>, SessionError, Scope | RealtimeModel>
 * export const session = Effect.provide(Session.make(agent), OrdersLive)
 * ```
 *
 * @since 0.1.0
 * @module
 */
import * as AiTool from "@effect/ai/Tool"
import type * as AiToolkit from "@effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as Scope from "effect/Scope"
import type { Hint } from "./options/Hint.js"
import * as Tool from "./Tool.js"

/**
 * How the tools of a toolkit are run, by name: each with the options of `Tool.make`. An `approval` gets the decoded
 * arguments.
 *
 * @since 0.1.0
 * @category options
 */
export type Policies<Tools extends Record<string, AiTool.Any>> = {
  readonly [Name in keyof Tools]?: Tool.PolicyOptions<AiTool.Parameters<Tools[Name]>, unknown, unknown>
}

/**
 * What the approvals and the checks `isEnabled` of such policies require.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ApprovalRequirements<P> =
  | {
      readonly [Name in keyof P]: P[Name] extends {
        readonly approval: (...args: infer _) => Effect.Effect<boolean, unknown, infer R>
      }
        ? R
        : never
    }[keyof P]
  | EnabledRequirements<P>

type EnabledRequirements<P> = {
  readonly [Name in keyof P]: P[Name] extends { readonly isEnabled: Effect.Effect<boolean, unknown, infer R> }
    ? R
    : never
}[keyof P]

/**
 * A tool of a toolkit as a tool of an agent. With `failureMode: "return"`, it does not fail: the model reads the failure
 * as a result.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ToolOf<T, RApproval = never> = T extends AiTool.Any
  ? Tool.Tool<
      T["name"],
      AiTool.HandlerError<T>,
      Exclude<AiTool.Handler<T["name"]> | AiTool.Requirements<T> | RApproval, Scope.Scope>
    >
  : never

/**
 * The tools of a toolkit, in its order, for `Agent.make`. The session requires the layer of the toolkit
 * (`toolkit.toLayer`), and what its tools depend on. Arguments, results and failures are decoded and encoded by the
 * toolkit's own schemas, and calls are answered like those of any other tool: defects, hangs and arguments that are not
 * valid too.
 *
 * A tool with the annotation `Idempotent` is `idempotent`, unless its policy says otherwise. A tool that is defined by a
 * provider cannot be used: `Session.make` fails with `AgentInvalid`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tools = <Tools extends Record<string, AiTool.Any>, const P = Record<never, never>>(
  toolkit: AiToolkit.Toolkit<Tools>,
  policies?: P & Policies<Tools> & { readonly [Name in Exclude<keyof P, keyof Tools>]: Hint<"No tool has this name"> }
): ReadonlyArray<ToolOf<Tools[keyof Tools], ApprovalRequirements<P>>> => {
  const byName: { readonly [name: string]: Policy | undefined } = policies ?? {}
  // The types say what the code below keeps: each tool's own schemas decode and encode for its own handler.
  return Object.values(toolkit.tools).map((tool) => toolOf(tool, byName[tool.name])) as never
}

type Policy = Tool.PolicyOptions<never, unknown, unknown>

const toolOf = (tool: AiTool.Any, policy: Policy = {}): Tool.Tool => {
  if (AiTool.isProviderDefined(tool)) return unusable(tool)
  const { name, parametersSchema, successSchema } = tool
  const { instanceOf, fields } = parametersOf(parametersSchema)
  const failureSchema = tool.failureSchema as Schema.Schema<unknown, unknown, unknown>
  const returns = tool.failureMode === "return"
  return Tool.make(name, {
    ...(policy as Tool.PolicyOptions<unknown, unknown, unknown>),
    idempotent: policy.idempotent ?? Context.get(tool.annotations, AiTool.Idempotent),
    description: tool.description ?? Option.getOrElse(AST.getDescriptionAnnotation(parametersSchema.ast), () => ""),
    parameters: fields,
    success: returns ? Schema.Union(successSchema, failureSchema) : successSchema,
    ...(returns ? {} : { failure: failureSchema }),
    handler: (args): Effect.Effect<unknown, unknown, unknown> => {
      const answer = Effect.flatMap(handlerOf(tool), ({ context, handler }) =>
        Effect.mapInputContext(handler(instanceOf(args)), (own: Context.Context<never>) => Context.merge(context, own))
      )
      return returns ? Effect.merge(answer) : answer
    }
  })
}

/** A tool that the model's provider runs: a realtime session has no place for it. */
const unusable = ({ name }: AiTool.Any): Tool.Tool => ({
  ...Tool.make(name, { description: "", handler: () => Effect.void }),
  definition: Either.left(`${name} is defined by a provider of models, who runs it: leave it out.`)
})

/** What the toolkit's layer provides. Its own `handle` is not used: it would put all arguments on a span. */
const handlerOf = (tool: AiTool.Any) => Context.GenericTag<AiTool.Handler<string>>(tool.id)

interface ParametersOf {
  readonly fields: Schema.Struct.Fields
  /** What the handler gets, made of the decoded fields. */
  readonly instanceOf: (args: object) => unknown
}

/** The model does not write the `_tag` of a tagged request: it is the tool's name. */
const parametersOf = (schema: AiTool.AnyParametersSchema): ParametersOf => {
  if (!("fields" in schema)) return { fields: {}, instanceOf: (args) => args }
  const all: Schema.Struct.Fields = schema.fields
  if (!("_tag" in schema)) return { fields: all, instanceOf: (args) => args }
  const { _tag: _, ...fields } = all
  return { fields, instanceOf: (args) => schema.make(args) }
}
