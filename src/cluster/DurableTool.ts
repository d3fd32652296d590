/**
 * Tools that must not be forgotten: each call is a workflow of `@effect/workflow`, which goes on whatever happens to the
 * session, to its node, and to the node that runs the workflow.
 *
 * @since 0.1.0
 */
import * as Workflow from "@effect/workflow/Workflow"
import type { WorkflowEngine, WorkflowInstance } from "@effect/workflow/WorkflowEngine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Tool from "../Tool.js"

/**
 * What a workflow knows of its call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Run {
  /** The same every time this call runs: for services that support idempotency keys. */
  readonly idempotencyKey: string
  /** The id of the workflow's execution. */
  readonly executionId: string
}

/**
 * What a workflow gives to its program by itself.
 *
 * @since 0.1.0
 * @category models
 */
export type Given<Name extends string> =
  | WorkflowEngine
  | WorkflowInstance
  | Workflow.Execution<`effect-realtime/Tool/${Name}`>
  | Scope.Scope

/**
 * Implements a contract by workflows: a session starts the workflow of a call, or waits for the one that was started
 * before a restart. The workflow runs on any node that has this layer, and goes on after the tool's `timeout`; for work
 * that takes long, give the tool to `Tool.deferred`. Tests may implement the contract with `Tool.layer` instead.
 *
 * After a crash, the program runs again from its beginning. Give what must not happen twice to an `Activity` of
 * `@effect/workflow`, whose result is kept, and let the service know the `idempotencyKey`, because an activity that a
 * crash cut off runs again too.
 *
 * Fails with `OptionsInvalid` if the contract does not say `idempotent: true`: a session would not run its calls again.
 *
 * @example
 * ```ts
 * import { Activity } from "@effect/workflow"
 * import { Effect, Schema } from "effect"
 * import { Agent, Tool } from "effect-realtime"
 * import { DurableTool } from "effect-realtime/cluster"
 *
 * const transfer = Tool.make("transfer", {
 *   description: "Transfers money to another account.",
 *   parameters: { to: Schema.String, cents: Schema.Int },
 *   success: Schema.String,
 *   idempotent: true,
 *   timeout: "1 minute"
 * })
 *
 * export const agent = Agent.make("Bank", { instructions: "Help the caller.", tools: [transfer] })
 *
 * export const Transfers = DurableTool.layer(transfer, ({ cents, to }, { idempotencyKey }) =>
 *   Activity.make({
 *     name: "book",
 *     success: Schema.String,
 *     execute: Effect.succeed(`${cents} cents to ${to} (${idempotencyKey})`)
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Name extends string, P extends Schema.Struct.Fields, A, IA, RA, E, IE, RE, R>(
  contract: Tool.Contract<Name, P, A, IA, RA, E, IE, RE>,
  execute: (args: Schema.Schema.Type<Schema.Struct<P>>, run: Run) => Effect.Effect<A, E, R>
): Layer.Layer<
  Tool.Handler<Name>,
  OptionsInvalid,
  WorkflowEngine | Schema.Struct.Context<P> | RA | RE | Exclude<R, Given<Name>>
> => {
  const { name, parameters, policy } = contract
  const workflow = Workflow.make({
    name: `effect-realtime/Tool/${name}`,
    payload: { key: Schema.String, arguments: parameters },
    idempotencyKey: ({ key }) => key,
    success: contract.success,
    error: contract.failure
  })
  const handler = Tool.layer(contract, (args, { idempotencyKey }) =>
    // The workflow goes on when the handler is interrupted: nobody waits for it to stop.
    Effect.disconnect(workflow.execute({ key: idempotencyKey, arguments: args }))
  )
  const workflows = workflow.toLayer((payload, executionId) =>
    execute(payload.arguments, { idempotencyKey: payload.key, executionId })
  )
  const checked = Layer.effectDiscard(policy.idempotent ? Effect.void : notIdempotent(name))
  return Layer.provide(Layer.merge(handler, workflows), checked)
}

const notIdempotent = (name: string) =>
  new OptionsInvalid({
    of: `DurableTool.layer(${JSON.stringify(name)})`,
    problems: [
      {
        option: "idempotent",
        value: "false",
        message: "The contract should be made with `idempotent: true`, so that a resumed session asks for its result."
      }
    ]
  })
