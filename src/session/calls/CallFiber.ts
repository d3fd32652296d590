import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Tracer from "effect/Tracer"
import type { CallInfo } from "../../SessionEvent.js"
import type { Tool, ToolCall } from "../../Tool.js"
import { ToolInterrupted } from "../../ToolError.js"
import { type Decision, type Hooks, type Settlement, settle } from "../../tool/settle.js"
import type { Parts } from "../Parts.js"

/** A report of a call in progress. It goes through the session's inbox like everything else. */
export type Report<E> =
  /** The handler waits for `proceed`, until its start is written down and published. */
  | { readonly _tag: "Started"; readonly proceed: () => void }
  | { readonly _tag: "ApprovalNeeded"; readonly decision: Deferred.Deferred<Decision>; readonly deadline: number }
  | { readonly _tag: "ApprovalCheckFailed" }
  | { readonly _tag: "ApprovalExpired" }
  | { readonly _tag: "Progressed"; readonly message: string; readonly data: unknown }
  /** The caller has waited long enough to be told something. */
  | { readonly _tag: "FillerDue"; readonly text: string }
  /** The fiber has ended, however late. */
  | { readonly _tag: "Ended"; readonly fiber: Fiber.RuntimeFiber<unknown>; readonly settlement: Settlement<E> }

/** Runs a call in its own fiber. However the fiber ends, its end is reported. */
export const start = <E, R>(
  tool: Tool<string, E, R>,
  call: CallInfo,
  span: Tracer.Span | undefined,
  session: Parts<E, R>
): Effect.Effect<Fiber.RuntimeFiber<unknown>, never, R> => {
  const { callId } = call
  const report = (report: Report<E>): void => {
    session.inbox.offer({ _tag: "Reported", callId, report })
  }
  const toolCall: ToolCall = {
    ...call,
    sessionId: session.id,
    idempotencyKey: `${session.id}:${callId}`,
    // Waits until the loop has handled it: this holds back a handler that reports a lot.
    progress: (message, data) =>
      Effect.ignore(session.asking.command(() => session.calls.reported(callId, { _tag: "Progressed", message, data })))
  }
  const untraced = settle(tool, toolCall, hooksOf(call, report, session))
  const settled = span === undefined ? untraced : Effect.withParentSpan(untraced, span)
  const { filler } = tool.policy
  const filled =
    filler === undefined
      ? settled
      : Effect.flatMap(
          Effect.forkDaemon(
            Effect.zipRight(
              Effect.sleep(filler.after),
              Effect.sync(() => report({ _tag: "FillerDue", text: filler.text }))
            )
          ),
          (alarm) => Effect.ensuring(settled, Fiber.interruptFork(alarm))
        )
  return Effect.map(Effect.forkDaemon(filled), (fiber) => {
    // The observer is told of every end, even of a fiber that was stopped before its first step.
    fiber.addObserver((exit) => report({ _tag: "Ended", fiber, settlement: settlementOf(call, exit) }))
    return fiber
  })
}

const settlementOf = <E>({ agent, callId, tool }: CallInfo, exit: Exit.Exit<Settlement<E>>): Settlement<E> =>
  Exit.isSuccess(exit) ? exit.value : { _tag: "Failed", error: new ToolInterrupted({ callId, tool, agent }) }

const hooksOf = (
  { agent, responseId, tool }: CallInfo,
  report: (report: Report<never>) => void,
  session: Parts
): Hooks => ({
  available: () => session.calls.offers.available(responseId),
  enabledCheckFailed: (cause) =>
    Effect.sync(() =>
      session.publisher.publish({ _tag: "ToolCheckFailed", agent, tool, failure: Redacted.make(cause) })
    ),
  incidentId: () => session.newId("inc"),
  started: Effect.async<void>((resume) => report({ _tag: "Started", proceed: () => resume(Effect.void) })),
  approvalCheckFailed: Effect.sync(() => report({ _tag: "ApprovalCheckFailed" })),
  decide: Effect.gen(function* () {
    const { approvalTimeout } = session.options
    const decision = yield* Deferred.make<Decision>()
    report({ _tag: "ApprovalNeeded", decision, deadline: session.timeOfDay() + approvalTimeout })
    const decided = Deferred.await(decision)
    const expire = Effect.sync(() => report({ _tag: "ApprovalExpired" }))
    // The loop decides, even about the timeout: a decision that came first stands.
    return yield* decided.pipe(
      Effect.timeoutTo({
        duration: approvalTimeout,
        onSuccess: (decision) => Effect.succeed(decision),
        onTimeout: () => Effect.zipRight(expire, decided)
      }),
      Effect.flatten
    )
  })
})
