import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Agent from "../../Agent.js"
import { quietlyWithin } from "../../common/quietly.js"
import type { RealtimeSession } from "../../protocol/SessionConfig.js"
import type { Tool } from "../../Tool.js"
import { always, orDisabled } from "../../tool/enabled.js"
import { guarded } from "../guardrails/guarded.js"
import { publishJudged } from "../guardrails/judge.js"
import type { Parts } from "../Parts.js"
import { merge } from "../settings/merge.js"
import { handoffTool } from "./handoffTool.js"

/**
 * What an agent offers to the model while it has the conversation: its settings, and the functions that may be called.
 */
export interface Offer<E, R> {
  readonly agent: Agent.Agent<E, R>
  /**
   * Complete except for `type`: instructions and tools are always present, because fields that are left out keep their
   * old values.
   */
  readonly settings: Agent.Settings & Required<Pick<RealtimeSession, "instructions" | "tools">>
  readonly functions: ReadonlyMap<string, Tool<string, E, R>>
}

/** The offer of an agent that was not evaluated yet. */
export const none = <E, R>(agent: Agent.Agent<E, R>): Offer<E, R> => ({
  agent,
  settings: { instructions: "", tools: [] },
  functions: new Map()
})

/** A function that may be offered, and what to do if it cannot be decided whether it is. */
interface Candidate<E, R> {
  readonly tool: Tool<string, E, R>
  readonly failed: (failure: Redacted.Redacted<unknown>) => void
}

/** Why an agent cannot be offered, and in which setting it would be. */
export interface Refusal {
  readonly param: "session.instructions" | "session.tools"
  readonly invalid: Agent.AgentInvalid
}

/** Evaluates the agent's instructions, and its functions of the moment. */
export const make = <E, R>(agent: Agent.Agent<E, R>, session: Parts<E, R>): Effect.Effect<Offer<E, R>, Refusal, R> =>
  Effect.gen(function* () {
    const instructions = yield* given(agent, "instructions", agent.instructions, session)
    const settings = { ...merge(agent.settings, session.options.settings), instructions, tools: [] }
    return yield* renewed({ agent, settings, functions: new Map() }, session)
  })

/** What an Effect of the agent gives. It is the application's: it may never end, and it may fail against its type. */
const given = <A, E, R>(
  agent: Agent.Agent<E, R>,
  option: "instructions" | "tools",
  effect: Effect.Effect<A, never, R>,
  session: Parts<E, R>
): Effect.Effect<A, Refusal, R> => {
  const within = session.options.settingsTimeout
  const named = Effect.catchAllDefect(Effect.orDie(effect), (cause) =>
    Effect.die(
      new Error(`The \`${option}\` of the agent ${JSON.stringify(agent.name)} failed: see the cause.`, { cause })
    )
  )
  return quietlyWithin(named, {
    duration: within,
    onTimeout: () => {
      const endless = `Its \`${option}\` did not end within ${within / 1_000} seconds: give it a time limit.`
      return refusalOf(option, new Agent.AgentInvalid({ agent: agent.name, problems: [endless] }))
    }
  })
}

const refusalOf = (option: "instructions" | "tools", invalid: Agent.AgentInvalid): Refusal => ({
  param: `session.${option}`,
  invalid
})

/** Asks again which tools and handoffs the agent offers. */
export const renewed = <E, R>(
  { agent, settings }: Offer<E, R>,
  session: Parts<E, R>
): Effect.Effect<Offer<E, R>, Refusal, R> =>
  Effect.gen(function* () {
    const { currentTools } = agent
    const tools = currentTools === undefined ? agent.tools : yield* given(agent, "tools", currentTools, session)
    const context = yield* Effect.context<R>()
    yield* Either.mapLeft(Agent.validateTools(agent, tools, context), (invalid) => refusalOf("tools", invalid))
    const all = candidates(agent, tools, session)
    const isThere = yield* Effect.forEach(all, (one) => isEnabled(one, session.options.settingsTimeout / 2), {
      concurrency: "unbounded"
    })
    const functions = new Map<string, Tool<string, E, R>>()
    for (const [index, { tool }] of all.entries()) if (isThere[index] === true) functions.set(tool.name, tool)
    const definitions = [...functions.values()].map(({ definition }) => definition).filter(Either.isRight)
    return {
      agent,
      functions,
      settings: {
        ...settings,
        tools: [...definitions.map(({ right }) => right), ...agent.hostedTools.map((server) => server.config())]
      }
    }
  })

/** A check that fails, or does not end, disables its function and holds up no other. */
const isEnabled = <E, R>({ failed, tool }: Candidate<E, R>, within: number): Effect.Effect<boolean, never, R> =>
  tool.isEnabled === always
    ? always
    : orDisabled(
        quietlyWithin(tool.isEnabled, {
          duration: within,
          onTimeout: () => new Error(`isEnabled did not end within ${within / 1_000} seconds.`)
        }),
        (cause) => Effect.sync(() => failed(Redacted.make(cause)))
      )

const candidates = <E, R>(
  agent: Agent.Agent<E, R>,
  tools: ReadonlyArray<Tool<string, E, R>>,
  session: Parts<E, R>
): ReadonlyArray<Candidate<E, R>> => {
  const { publisher, telemetry } = session
  const guard: Parameters<typeof guarded>[2] = {
    judged: (judged) => publishJudged(judged, publisher),
    checked: (guardrail, check) => telemetry.checked(guardrail, check)
  }
  const own = tools.map((tool) => ({
    tool: guarded(tool, agent.guardrails, guard),
    failed: (failure: Redacted.Redacted<unknown>) =>
      publisher.publish({ _tag: "ToolCheckFailed", agent: agent.name, tool: tool.name, failure })
  }))
  const handoffs = agent.handoffs.flatMap((handoff): ReadonlyArray<Candidate<E, R>> => {
    const target = Agent.targetOf(agent, handoff)
    if (target === undefined) return []
    const failed = () => publisher.publish({ _tag: "HandoffCheckFailed", agent: agent.name, target: target.name })
    return [{ tool: handoffTool(handoff, target, session), failed }]
  })
  return [...own, ...handoffs]
}
