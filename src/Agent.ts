/**
 * An agent: what the model is told, and what it may call.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { RealtimeSession } from "./protocol/SessionConfig.js"
import type * as Tool from "./Tool.js"
import type { FunctionDefinition } from "./tool/definition.js"

/**
 * The session's settings that an agent may choose: voice, modalities, turn detection, and so on, as the protocol names
 * them. Instructions and tools are the agent's own.
 *
 * @since 0.1.0
 * @category models
 */
export type Settings = Omit<RealtimeSession, "type" | "instructions" | "tools" | "model">

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-realtime/Agent")

/**
 * An agent whose tools fail with `E` and require `R`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Agent<out E = unknown, out R = unknown> {
  readonly [TypeId]: typeof TypeId
  readonly name: string
  readonly instructions: Effect.Effect<string, never, R>
  readonly tools: ReadonlyArray<Tool.Tool<string, E, R>>
  readonly settings: Settings
}

/**
 * The agent can not be offered to a model. Every problem is listed, so that one round of mending is enough.
 *
 * @since 0.1.0
 * @category errors
 */
export class AgentInvalid extends Schema.TaggedError<AgentInvalid>("effect-realtime/AgentInvalid")("AgentInvalid", {
  agent: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `The agent ${JSON.stringify(this.agent)} can not be used: ${this.problems.join(" ")}`
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<out R> {
  /** What the model is told about itself. An Effect is run when the session begins. */
  readonly instructions: string | Effect.Effect<string, never, R>
  readonly settings?: Settings
}

/**
 * Makes an agent. Its failures and requirements are those of its tools and instructions.
 *
 * @example
 * ```ts
 * import { Effect, Schema } from "effect"
 * import { Agent, Tool } from "effect-realtime"
 *
 * const add = Tool.make("add", {
 *   description: "Adds two numbers",
 *   parameters: { a: Schema.Number, b: Schema.Number },
 *   handler: ({ a, b }) => Effect.succeed(a + b)
 * })
 *
 * export const calculator = Agent.make("Calculator", { instructions: "Answer in one sentence.", tools: [add] })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export function make<const Tools extends ReadonlyArray<Tool.Tool> = readonly [], RInstructions = never>(
  name: string,
  options: Options<RInstructions> & {
    /** Default: none. */
    readonly tools?: Tools
  }
): Agent<Tool.Failure<Tools[number]>, Tool.Requirements<Tools[number]> | RInstructions>
export function make(name: string, options: Options<unknown> & { readonly tools?: ReadonlyArray<Tool.Tool> }): Agent {
  const { instructions, settings = {}, tools = [] } = options
  return {
    [TypeId]: TypeId,
    name,
    instructions: typeof instructions === "string" ? Effect.succeed(instructions) : instructions,
    tools,
    settings
  }
}

/**
 * What the API is told about the agent's functions, or everything that is wrong with them.
 *
 * @since 0.1.0
 * @category validation
 */
export const definitions = (agent: Agent): Either.Either<ReadonlyArray<FunctionDefinition>, AgentInvalid> => {
  const problems: Array<string> = []
  const functions: Array<FunctionDefinition> = []
  const seen = new Set<string>()
  for (const tool of agent.tools) {
    if (seen.has(tool.name)) {
      problems.push(`Two tools are named ${JSON.stringify(tool.name)}: rename one, for a call could mean either.`)
    }
    seen.add(tool.name)
    Either.match(tool.definition, {
      onLeft: (problem) => problems.push(problem),
      onRight: (definition) => functions.push(definition)
    })
  }
  return problems.length === 0
    ? Either.right(functions)
    : Either.left(new AgentInvalid({ agent: agent.name, problems }))
}
