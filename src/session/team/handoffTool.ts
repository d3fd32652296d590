import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Agent } from "../../Agent.js"
import { quietlyWithin } from "../../common/quietly.js"
import { type Handoff, nameOf } from "../../Handoff.js"
import type { HandoffSuperseded } from "../../SessionError.js"
import { type Tool, type ToolCall, TypeId } from "../../Tool.js"
import { HandoffFailed } from "../../ToolError.js"
import { issuesOf, parseArguments } from "../../tool/arguments.js"
import { notNeeded } from "../../tool/Prepared.js"
import { messageOf } from "../../toolError/messageOf.js"
import type { Parts } from "../Parts.js"
import type { ConfigureError } from "../settings/configure.js"

/** Why a transfer did not happen. */
export type TransferError = ConfigureError | HandoffSuperseded

/** A sentence for the model, for which the names of settings are of no use. */
const whyNot = (error: ConfigureError): string => {
  switch (error._tag) {
    case "SettingsInvalid":
      return "its settings are not valid in this session."
    case "SettingsRejected":
      return "the server did not accept its settings."
    case "SettingsTimedOut":
      return "its settings were not ready in time."
    case "SessionClosed":
      return "the session has ended."
  }
}

/** The time limit for a callback, as for any tool. */
const callbackTimeout = Duration.seconds(20)

/**
 * A handoff as a function that the model may call. Everything that can go wrong is one kind of failure, after which the
 * agent keeps the conversation.
 */
export const handoffTool = <E, R>(
  handoff: Handoff<string | Agent<E, R>, E, R>,
  target: Agent<E, R>,
  session: Parts<E, R>
): Tool<string, E, R> => {
  const failed = (
    { agent, callId, tool }: ToolCall,
    step: HandoffFailed["step"],
    reason: string,
    cause: { readonly failure?: E; readonly defect?: unknown } = {}
  ): HandoffFailed<E> =>
    new HandoffFailed<E>({
      callId,
      tool,
      agent,
      target: target.name,
      step,
      reason,
      failure: undefined,
      defect: undefined,
      ...cause
    })

  const refused = (call: ToolCall, error: TransferError): HandoffFailed<E> =>
    error._tag === "HandoffSuperseded"
      ? failed(call, "superseded", `${error.by} has it already.`)
      : failed(call, "settings", whyNot(error), { defect: error })

  const prepare = (call: ToolCall): Effect.Effect<void, HandoffFailed<E>, R> =>
    parseArguments(call).pipe(
      Effect.mapError((error) => failed(call, "input", error.message)),
      Effect.flatMap((input) =>
        Effect.mapError(handoff.prepare(input, call), (error) =>
          failed(
            call,
            "input",
            issuesOf(error)
              .map(({ message, path }) => `${path}: ${message}`)
              .join("; ")
          )
        )
      ),
      Effect.flatMap((callback) =>
        quietlyWithin(callback, {
          duration: callbackTimeout,
          onTimeout: () => failed(call, "callback", `it was not ready within ${Duration.format(callbackTimeout)}.`)
        }).pipe(
          Effect.catchAllCause((cause) => {
            const failure = Option.getOrUndefined(Cause.failureOption(cause))
            if (failure instanceof HandoffFailed) return Effect.fail(failure)
            if (Cause.isInterruptedOnly(cause)) return Effect.interrupt
            const reason = "it could not be prepared."
            return failure === undefined || Cause.isDie(cause)
              ? failed(call, "callback", reason, { defect: cause })
              : failed(call, "callback", messageOf(failure) ?? reason, { failure })
          })
        )
      )
    )

  const run = (call: ToolCall): Effect.Effect<string, HandoffFailed<E>, R> =>
    session.team.transfer(call.agent, target, prepare(call)).pipe(
      Effect.mapError((error) => (error._tag === "HandoffFailed" ? error : refused(call, error))),
      Effect.catchAllDefect((defect) => failed(call, "settings", "it could not be prepared.", { defect })),
      Effect.as(JSON.stringify({ assistant: target.name }))
    )

  return {
    [TypeId]: TypeId,
    name: Either.match(handoff.definition, { onLeft: () => nameOf(handoff.target), onRight: ({ name }) => name }),
    description: Either.match(handoff.definition, { onLeft: () => "", onRight: ({ description }) => description }),
    definition: handoff.definition,
    parameters: handoff.input,
    isEnabled: handoff.isEnabled,
    policy: {
      // Each step has its own time limit.
      timeout: Duration.infinity,
      onFailure: "respond",
      onInterrupt: "continue",
      reply: "respond",
      concurrency: Number.POSITIVE_INFINITY,
      idempotent: false,
      deferred: undefined,
      filler: undefined
    },
    prepare: (call) => Effect.succeed({ needsApproval: notNeeded, run: run(call) })
  }
}
