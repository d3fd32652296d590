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

/** Evaluates the agent's instructions, and its functions of the moment. */
export const make = <E, R>(
  agent: Agent.Agent<E, R>,
  session: Parts<E, R>
): Effect.Effect<Offer<E, R>, Agent.AgentInvalid, R> =>
  Effect.gen(function* () {
    const instructions = yield* agent.instructions
    const settings = { ...merge(agent.settings, session.options.settings), instructions, tools: [] }
    return yield* renewed({ agent, settings, functions: new Map() }, session)
  })

/** Asks again which tools and handoffs the agent offers. */
export const renewed = <E, R>(
  { agent, settings }: Offer<E, R>,
  session: Parts<E, R>
): Effect.Effect<Offer<E, R>, Agent.AgentInvalid, R> =>
  Effect.gen(function* () {
    const tools = agent.currentTools === undefined ? agent.tools : yield* agent.currentTools
    yield* Agent.validateTools(agent, tools, yield* Effect.context<R>())
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
