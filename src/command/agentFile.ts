/** The agent that `effect-realtime console FILE` opens: a module of the user's own. */
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Agent from "../Agent.js"

/** The file has no usable agent. The message says why. */
export class AgentUnusable extends Data.TaggedError("AgentUnusable")<{ readonly message: string }> {}

/**
 * An agent, and the layer that provides the services that its tools require. Neither is typed here: the agent runs in the
 * context of the layer, and a missing service is a defect of the call that needs it.
 */
export interface Loaded {
  readonly agent: Agent.Agent<unknown, never>
  readonly layer: Layer.Layer<never, unknown>
}

const EXPORTS = "Export the agent as `agent` or as the default, and as `layer` what its tools require."

const load = (file: string): Effect.Effect<unknown, AgentUnusable> =>
  Effect.tryPromise({
    try: (): Promise<unknown> => import(pathToFileURL(resolve(file)).href),
    catch: (error) => {
      const code = Predicate.hasProperty(error, "code") ? error.code : undefined
      const reason = error instanceof Error ? error.message : String(error)
      return new AgentUnusable({
        message:
          code === "ERR_UNKNOWN_FILE_EXTENSION"
            ? `This Node cannot load ${file}. Install tsx, and run \`NODE_OPTIONS="--import tsx" npx effect-realtime console ${file}\`.`
            : `${file} cannot be loaded: ${reason}`
      })
    }
  })

/** @param file the path that was given, relative to the working directory */
export const agentOf = (file: string): Effect.Effect<Loaded, AgentUnusable> =>
  Effect.gen(function* () {
    const module = yield* load(file)
    const named = Predicate.hasProperty(module, "agent") ? module.agent : undefined
    const agent = named ?? (Predicate.hasProperty(module, "default") ? module.default : undefined)
    if (!isWired(agent)) {
      return yield* new AgentUnusable({ message: `${file} has no agent. ${EXPORTS}` })
    }
    const layer = Predicate.hasProperty(module, "layer") ? module.layer : Layer.empty
    if (!isLayer(layer))
      return yield* new AgentUnusable({ message: `The export \`layer\` of ${file} is not a layer. ${EXPORTS}` })
    return { agent, layer }
  })

// A module that is loaded by name has no types. Before it begins, the session checks the agent, including its wiring.
const isWired = (value: unknown): value is Agent.Agent<unknown, never> => Agent.isAgent(value)
const isLayer = (value: unknown): value is Layer.Layer<never, unknown> => Layer.isLayer(value)
