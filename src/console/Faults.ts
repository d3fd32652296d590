/**
 * Faults on demand, for any agent and any model. The user injects one on the page, and it affects the next tool call or
 * the connections to the model.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Agent from "../Agent.js"
import { type Connection, ConnectionLost, type Frame, Incoming, RealtimeModel } from "../RealtimeModel.js"
import type { Tool } from "../Tool.js"
import { ToolFailure } from "../ToolError.js"
import type { Prepared } from "../tool/Prepared.js"
import type { Fault, ToolFault } from "./Protocol.js"

/** The failure of a tool that the user asked for. */
export class FaultInjected extends Schema.TaggedError<FaultInjected>()("FaultInjected", { tool: Schema.String }) {
  override get message(): string {
    return `${this.tool} was made to fail from the console. Call it again: the next call works.`
  }
}

export interface Faults {
  readonly inject: (fault: Fault) => Effect.Effect<void>
  /** The same agent, and the agents that it can reach, with faults in their tools. */
  readonly agent: <E, R>(agent: Agent.Agent<E, R>) => Agent.Agent<E | FaultInjected, R>
  /** The same model, with faults in its connections. */
  readonly model: (model: typeof RealtimeModel.Service) => typeof RealtimeModel.Service
}

/** The largest number of faults that wait for a call. If there are more, the oldest is dropped. */
const maxWaiting = 32

/** An open connection, as the faults see it. */
interface Held {
  readonly lose: (error: ConnectionLost) => void
  readonly flow: Effect.Latch
}

export const make: Effect.Effect<Faults, never, Scope.Scope> = Effect.gen(function* () {
  const scope = yield* Effect.scope
  const held = new Set<Held>()
  /** The tool faults that no call has had yet, the oldest first. */
  const waiting: Array<ToolFault> = []

  const take = (tool: string): ToolFault | undefined => {
    const index = waiting.findIndex((fault) => fault.tool === undefined || fault.tool === tool)
    return index < 0 ? undefined : waiting.splice(index, 1)[0]
  }

  const faultyTool = <E, R>(tool: Tool<string, E, R>): Tool<string, E | FaultInjected, R> => ({
    ...tool,
    prepare: (call) =>
      Effect.map(tool.prepare(call), ({ needsApproval, run }) => ({
        needsApproval,
        run: Effect.suspend((): Prepared<E | FaultInjected, R>["run"] => {
          switch (take(tool.name)?.how) {
            case "Fail": {
              const failure = new FaultInjected({ tool: tool.name })
              const { agent, callId } = call
              return ToolFailure.of<E | FaultInjected>({ callId, tool: tool.name, agent, failure })
            }
            case "Hang":
              return Effect.never
            case "Crash":
              return Effect.die(new Error(`${tool.name} was made to crash from the console.`))
            case undefined:
              return run
          }
        })
      }))
  })

  const agent = <E, R>(entry: Agent.Agent<E, R>): Agent.Agent<E | FaultInjected, R> => {
    const made = new Map<Agent.Agent<E, R>, Agent.Agent<E | FaultInjected, R>>()
    const faulty = (agent: Agent.Agent<E, R>): Agent.Agent<E | FaultInjected, R> => {
      const known = made.get(agent)
      if (known !== undefined) return known
      const copy: Agent.Agent<E | FaultInjected, R> = {
        ...agent,
        tools: agent.tools.map(faultyTool),
        currentTools:
          agent.currentTools === undefined
            ? undefined
            : Effect.map(agent.currentTools, (tools) => tools.map(faultyTool)),
        // At run time, a wired target is still a name.
        handoffs: agent.handoffs.map((handoff) =>
          typeof handoff.target === "string" ? handoff : { ...handoff, target: faulty(handoff.target) }
        ),
        team: () => agent.team().map(faulty)
      }
      made.set(agent, copy)
      return copy
    }
    return faulty(entry)
  }

  const unsteady = (connection: Connection): Effect.Effect<Connection, never, Scope.Scope> =>
    Effect.gen(function* () {
      const frames = new Incoming<Frame, ConnectionLost>()
      const flow = yield* Effect.makeLatch(true)
      const one: Held = { lose: (error) => frames.fail(error), flow }
      yield* Effect.acquireRelease(
        Effect.sync(() => held.add(one)),
        () => Effect.sync(() => held.delete(one))
      )
      const pump: Effect.Effect<void> = Effect.gen(function* () {
        for (;;) {
          const { end, messages } = yield* connection.frames.takeAll
          yield* flow.await
          for (const message of messages) frames.offer(message)
          if (end?._tag === "Failed") return frames.fail(end.error)
          if (end?._tag === "Ended") return frames.end()
        }
      })
      yield* Effect.forkScoped(pump)
      return { ...connection, frames }
    })

  const inject = (fault: Fault): Effect.Effect<void> => {
    switch (fault._tag) {
      case "ToolFault":
        return Effect.sync(() => {
          waiting.push(fault)
          if (waiting.length > maxWaiting) waiting.shift()
        })
      case "DropConnection":
        return Effect.sync(() => {
          for (const { lose } of held) lose(dropped)
        })
      case "StallServer":
        return Effect.forEach(held, ({ flow }) => flow.close, { discard: true }).pipe(
          Effect.zipRight(
            Effect.forEach([...held], ({ flow }) => Effect.forkIn(Effect.delay(flow.open, fault.forMs), scope), {
              discard: true
            })
          )
        )
    }
  }

  return {
    inject,
    agent,
    model: (model) => RealtimeModel.of({ connect: (options) => Effect.flatMap(model.connect(options), unsteady) })
  }
})

const dropped = new ConnectionLost({
  code: 1006,
  reason: "",
  message: "The connection was dropped from the console. The session connects again."
})
