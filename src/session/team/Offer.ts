import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Agent from "../../Agent.js"
import type { RealtimeSession } from "../../protocol/SessionConfig.js"
import type { Tool } from "../../Tool.js"
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

/** Evaluates the agent's instructions, and which of its handoffs are offered now. */
export const make = <E, R>(agent: Agent.Agent<E, R>, session: Parts<E, R>): Effect.Effect<Offer<E, R>, never, R> =>
  Effect.gen(function* () {
    const { options, publisher, telemetry } = session
    const guard: Parameters<typeof guarded>[2] = {
      judged: (judged) => publishJudged(judged, publisher),
      checked: (guardrail, check) => telemetry.checked(guardrail, check)
    }
    const instructions = yield* agent.instructions
    const functions = new Map<string, Tool<string, E, R>>()
    for (const tool of agent.tools) functions.set(tool.name, guarded(tool, agent.guardrails, guard))
    for (const handoff of agent.handoffs) {
      const target = Agent.targetOf(agent, handoff)
      if (target === undefined) continue
      const isEnabled = yield* Effect.catchAllCause(handoff.isEnabled, (cause) => {
        if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
        publisher.publish({ _tag: "HandoffCheckFailed", agent: agent.name, target: target.name })
        return Effect.succeed(false)
      })
      if (!isEnabled) continue
      const tool = handoffTool(handoff, target, session)
      functions.set(tool.name, tool)
    }
    const tools = [...functions.values()].map(({ definition }) => definition).filter(Either.isRight)
    return {
      agent,
      functions,
      settings: {
        ...merge(agent.settings, options.settings),
        instructions,
        tools: [...tools.map(({ right }) => right), ...agent.hostedTools.map((server) => server.config())]
      }
    }
  })
