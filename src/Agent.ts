/**
 * An agent: the instructions for the model, and the functions that it may call.
 *
 * @since 0.1.0
 * @module
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { TaggedError } from "./common/TaggedError.js"
import type * as Guardrail from "./Guardrail.js"
import * as Handoff from "./Handoff.js"
import type { HostedMcp } from "./HostedMcp.js"
import type { RealtimeSession } from "./protocol/SessionConfig.js"
import type * as Tool from "./Tool.js"
import type { Fixed } from "./tool/Fixed.js"

/**
 * The session settings that an agent may choose, named as in the protocol: voice, modalities, turn detection and so on.
 * Instructions and tools have their own options.
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
 * An agent. `E` and `R` are the failures and requirements of its tools, and of the tools of every agent that it may
 * hand over to. `Unwired` are the names of agents that it hands over to and does not know yet. Call `wire` before you
 * start a session with it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Agent<
  out E = unknown,
  out R = unknown,
  out Unwired extends string = never,
  out Name extends string = string
> {
  readonly [TypeId]: typeof TypeId
  readonly name: Name
  readonly instructions: Effect.Effect<string, never, R>
  /** Its tools, if they are always the same. */
  readonly tools: ReadonlyArray<Tool.Tool<string, E, R>>
  /** The tools that it has now. Absent if they are always the same. */
  readonly currentTools: Effect.Effect<ReadonlyArray<Tool.Tool<string, E, R>>, never, R> | undefined
  readonly handoffs: ReadonlyArray<Handoff.Handoff<Unwired | Agent<E, R, Unwired>, E, R>>
  readonly guardrails: ReadonlyArray<Guardrail.Guardrail<R>>
  /** Servers whose tools the model's provider calls itself. */
  readonly hostedTools: ReadonlyArray<HostedMcp>
  readonly settings: Settings
  /** The agents that it was wired with, including itself. */
  readonly team: () => ReadonlyArray<Agent<E, R, Unwired>>
}

/**
 * An agent of any kind, wired or not.
 *
 * @since 0.1.0
 * @category models
 */
export type Any = Agent<unknown, unknown, string>

/**
 * Something that an agent may hand over to: an agent, the name of one that is wired later, or a `Handoff` with options.
 *
 * @since 0.1.0
 * @category models
 */
export type Transfer = string | Any | Handoff.Handoff<string | Any>

/**
 * Tools, or an Effect that gives those of the moment.
 *
 * @since 0.1.0
 * @category models
 */
export type Tools = ReadonlyArray<Tool.Tool> | Effect.Effect<ReadonlyArray<Tool.Tool>, never, unknown>

/** Each tool of such a list. */
type ToolOf<T> =
  T extends ReadonlyArray<infer A> ? A : T extends Effect.Effect<ReadonlyArray<infer A>, never, unknown> ? A : never

/** What the list itself requires. */
type ListRequirements<T> = T extends Effect.Effect<unknown, unknown, infer R> ? R : never

/** The target of a transfer in any form. */
type TargetOf<T> = T extends Handoff.Handoff<infer To> ? To : T

/**
 * The failures of agents and handoffs, including those of the agents that they hand over to.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Failure<T> =
  | (T extends Handoff.Handoff<Handoff.Target, infer E> ? E : never)
  | (TargetOf<T> extends infer A ? (A extends Agent<infer E, unknown, string> ? E : never) : never)

/**
 * The requirements of agents and handoffs, including those of the agents that they hand over to.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Requirements<T> =
  | (T extends Handoff.Handoff<Handoff.Target, unknown, infer R> ? R : never)
  | (TargetOf<T> extends infer A ? (A extends Agent<unknown, infer R, string> ? R : never) : never)

/**
 * The names of agents that are still to be wired.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Unwired<T> =
  TargetOf<T> extends infer A ? (A extends string ? A : A extends Agent<unknown, unknown, infer U> ? U : never) : never

/**
 * The agent cannot be offered to a model. The error lists every problem, so that you can fix all of them at once.
 *
 * @since 0.1.0
 * @category errors
 */
export class AgentInvalid extends TaggedError<AgentInvalid>()("AgentInvalid", {
  agent: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `The agent ${JSON.stringify(this.agent)} cannot be used: ${this.problems.join(" ")}`
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<out R> {
  /** The instructions for the model. An Effect is run when the session begins. */
  readonly instructions: string | Effect.Effect<string, never, R>
  readonly settings?: Settings
}

/**
 * Makes an agent. Its failures and requirements are those of its tools, its instructions, its handoffs, and the agents
 * that it hands over to.
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
export function make<
  const Name extends string,
  const List extends Tools = readonly [],
  const Handoffs extends ReadonlyArray<Transfer> = readonly [],
  RInstructions = never,
  RGuardrails = never
>(
  name: Name,
  options: Options<RInstructions> & {
    /**
     * The tools that the model may call. An Effect gives those of the moment: it is run when the agent takes over, and at
     * `session.updateTools`. Default: none.
     */
    readonly tools?: List
    /** The agents that may take over. Connect names later, with `wire`. Default: none. */
    readonly handoffs?: Handoffs
    /** Checks on what is said while this agent has the conversation, and on its tools. Default: none. */
    readonly guardrails?: ReadonlyArray<Guardrail.Guardrail<RGuardrails>>
    /** Remote MCP servers whose tools the model's provider calls itself. Default: none. */
    readonly hostedTools?: ReadonlyArray<HostedMcp>
  }
): Agent<
  Tool.Failure<ToolOf<List>> | Failure<Handoffs[number]>,
  Fixed<
    | Tool.Requirements<ToolOf<List>>
    | ListRequirements<List>
    | Requirements<Handoffs[number]>
    | RInstructions
    | RGuardrails
  >,
  Unwired<Handoffs[number]>,
  Name
>
export function make(
  name: string,
  options: Options<unknown> & {
    readonly tools?: Tools
    readonly handoffs?: ReadonlyArray<Transfer>
    readonly guardrails?: ReadonlyArray<Guardrail.Guardrail>
    readonly hostedTools?: ReadonlyArray<HostedMcp>
  }
): Any {
  const { guardrails = [], handoffs = [], hostedTools = [], instructions, settings = {}, tools = [] } = options
  return {
    [TypeId]: TypeId,
    name,
    instructions: typeof instructions === "string" ? Effect.succeed(instructions) : instructions,
    tools: isFixed(tools) ? tools : [],
    currentTools: isFixed(tools) ? undefined : tools,
    handoffs: handoffs.map((transfer) => (isHandoff(transfer) ? transfer : Handoff.to(transfer))),
    guardrails,
    hostedTools,
    settings,
    team: () => []
  }
}

const isFixed = (tools: Tools): tools is ReadonlyArray<Tool.Tool> => Array.isArray(tools)

/**
 * Whether the value was made with `make`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isAgent = (value: unknown): value is Any => Predicate.hasProperty(value, TypeId)

const isHandoff = (transfer: Transfer): transfer is Handoff.Handoff<string | Any> =>
  typeof transfer !== "string" && Handoff.TypeId in transfer

/**
 * Connects agents that hand over to each other by name, even in a circle. The session begins with the first one. A name
 * that none of the agents has is a compile error.
 *
 * @example
 * ```ts
 * import { Agent } from "effect-realtime"
 *
 * const sales = Agent.make("Sales", { instructions: "Sell.", handoffs: ["Support"] })
 * const support = Agent.make("Support", { instructions: "Help.", handoffs: ["Sales"] })
 *
 * export const team = Agent.wire([sales, support])
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export function wire<const Agents extends readonly [Any, ...ReadonlyArray<Any>]>(
  agents: Agents &
    ([Exclude<Unwired<Agents[number]>, Agents[number]["name"]>] extends [never]
      ? unknown
      : { readonly "No agent has this name": Exclude<Unwired<Agents[number]>, Agents[number]["name"]> })
): Agent<Failure<Agents[number]>, Requirements<Agents[number]>, never, Agents[0]["name"]>
export function wire(agents: readonly [Any, ...ReadonlyArray<Any>]): Any {
  const [first, ...others] = agents
  const join = (agent: Any): Any => ({ ...agent, team: () => team })
  const entry = join(first)
  const team: ReadonlyArray<Any> = [entry, ...others.map(join)]
  return entry
}

/**
 * The agent that a handoff leads to; `undefined` if its name was never wired.
 *
 * @since 0.1.0
 * @category accessors
 */
export const targetOf = <E, R, U extends string>(
  agent: Agent<E, R, U>,
  { target }: Handoff.Handoff<U | Agent<E, R, U>, E, R>
): Agent<E, R, U> | undefined =>
  typeof target === "string" ? agent.team().find(({ name }) => name === target) : target

/**
 * Every agent that the conversation can reach from this one, including itself.
 *
 * @since 0.1.0
 * @category accessors
 */
export const reachable = <E, R, U extends string>(agent: Agent<E, R, U>): ReadonlyArray<Agent<E, R, U>> => {
  const found = new Set<Agent<E, R, U>>([agent])
  for (const one of found) {
    for (const other of one.team()) found.add(other)
    for (const handoff of one.handoffs) {
      const target = targetOf(one, handoff)
      if (target !== undefined) found.add(target)
    }
  }
  return [...found]
}

/**
 * The names of the functions that the model may call: tools and handoffs. Absent if its tools may change.
 *
 * @since 0.1.0
 * @category accessors
 */
export const functionNames = (agent: Any): ReadonlyArray<string> | undefined =>
  agent.currentTools === undefined ? namesOf(agent) : undefined

const namesOf = (agent: Pick<Any, "tools" | "handoffs">): ReadonlyArray<string> =>
  [...agent.tools, ...agent.handoffs].flatMap(({ definition }) =>
    Either.isRight(definition) ? [definition.right.name] : []
  )

/**
 * Checks that every agent that the conversation can reach can be offered to a model.
 *
 * @since 0.1.0
 * @category validation
 */
export const validate = (agent: Any): Either.Either<void, AgentInvalid> => {
  const agents = reachable(agent)
  for (const one of agents) {
    const problems = problemsOf(one)
    if (agents.some((other) => other !== one && other.name === one.name)) {
      problems.push("Another agent has the same name: rename one, because a handoff could mean either.")
    }
    if (problems.length > 0) return Either.left(new AgentInvalid({ agent: one.name, problems }))
  }
  return Either.void
}

/**
 * Checks that an agent can offer these tools: to a model, and in this context, which must have the handlers of contracts.
 *
 * @since 0.1.0
 * @category validation
 */
export const validateTools = (
  agent: Any,
  tools: ReadonlyArray<Tool.Tool>,
  context: Context.Context<never>
): Either.Either<void, AgentInvalid> => {
  const list = isFixed(tools) ? tools : []
  const problems = agent.currentTools === undefined ? [] : problemsOf({ ...agent, tools: list })
  if (list !== tools) problems.push("Its `tools` should give a list.")
  for (const tool of list) {
    // Types see to it, where there are types.
    if (!("handler" in tool) || !Context.isTag(tool.handler) || context.unsafeMap.has(tool.handler.key)) continue
    problems.push(`The tool ${JSON.stringify(tool.name)} has no handler: provide Tool.layer(${tool.name}, handler).`)
  }
  return problems.length > 0 ? Either.left(new AgentInvalid({ agent: agent.name, problems })) : Either.void
}

const problemsOf = (agent: Any): Array<string> => {
  const problems: Array<string> = []
  const seen = new Set<string>()
  for (const { definition } of [...agent.tools, ...agent.handoffs]) {
    if (!Either.isEither(definition)) {
      problems.push("One of its tools was not made with Tool.make.")
      continue
    }
    if (Either.isLeft(definition)) {
      problems.push(definition.left)
      continue
    }
    const { name } = definition.right
    if (seen.has(name)) {
      problems.push(`Two functions are named ${JSON.stringify(name)}: rename one, because a call could mean either.`)
    }
    seen.add(name)
  }
  const labels = new Set<string>()
  for (const { label, problems: found } of agent.hostedTools) {
    problems.push(...found)
    if (labels.has(label)) problems.push(`Two hosted servers are labelled ${JSON.stringify(label)}: rename one.`)
    labels.add(label)
  }
  for (const handoff of agent.handoffs) {
    if (targetOf(agent, handoff) !== undefined) continue
    const name = JSON.stringify(Handoff.nameOf(handoff.target))
    problems.push(`It hands over to ${name}, but no agent has that name: connect the two with Agent.wire.`)
  }
  return problems
}
