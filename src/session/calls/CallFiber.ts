import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { CallInfo } from "../../SessionEvent.js"
import type { Tool, ToolCall } from "../../Tool.js"
import { ToolInterrupted } from "../../ToolError.js"
import { type Decision, type Hooks, type Settlement, settle } from "../../tool/settle.js"

/** What a call reports on its way; it goes through the session's mailbox like everything else. */
export type Report<E> =
  /** `proceed`: the handler waits for it, where its start is written down first. */
  | { readonly _tag: "Started"; readonly proceed: (() => void) | undefined }
  | { readonly _tag: "ApprovalNeeded"; readonly decision: Deferred.Deferred<Decision>; readonly deadline: number }
  | { readonly _tag: "ApprovalCheckFailed" }
  | { readonly _tag: "ApprovalExpired" }
  | { readonly _tag: "Progressed"; readonly message: string; readonly data: unknown }
  /** The caller has waited long enough to hear something. */
  | { readonly _tag: "FillerDue"; readonly text: string }
  | { readonly _tag: "Settled"; readonly settlement: Settlement<E> }
  | { readonly _tag: "Discarded"; readonly call: CallInfo; readonly lateMs: number }

export interface Environment<E> {
  readonly sessionId: string
  /** Milliseconds. */
  readonly approvalTimeout: number
  /** Whether what becomes of a call is written down before it happens. */
  readonly recordsCalls: () => boolean
  readonly now: () => number
  /** Milliseconds since 1970. */
  readonly timeOfDay: () => number
  readonly newId: (prefix: string) => string
  /** A handler runs, or has ended: later than its call, where it is deaf to interruption. */
  readonly handling: (change: 1 | -1) => void
  readonly report: (callId: string, report: Report<E>) => void
  /** As `report`, and waits until the loop has heard it: who has much to say is held back. */
  readonly tell: (callId: string, report: Report<E>) => Effect.Effect<void>
}

/** Runs a call in a fiber of its own. Whatever becomes of that fiber, its end is reported. */
export const start = <E, R>(
  tool: Tool<string, E, R>,
  call: CallInfo,
  span: Tracer.Span,
  env: Environment<E>
): Effect.Effect<Fiber.RuntimeFiber<unknown>, never, R> => {
  const report = (one: Report<E>): void => env.report(call.callId, one)
  const toolCall: ToolCall = {
    ...call,
    sessionId: env.sessionId,
    idempotencyKey: `${env.sessionId}:${call.callId}`,
    progress: (message, data) => env.tell(call.callId, { _tag: "Progressed", message, data })
  }
  const settled = Effect.withParentSpan(settle(tool, toolCall, hooksOf(call, env)), span)
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
  return Effect.tap(Effect.forkDaemon(filled), (fiber) =>
    Effect.sync(() =>
      // The observer hears of every end, also of a fiber that was stopped before its first step.
      fiber.addObserver((exit) => report({ _tag: "Settled", settlement: settlementOf(call, exit) }))
    )
  )
}

const settlementOf = <E>({ agent, callId, tool }: CallInfo, exit: Exit.Exit<Settlement<E>>): Settlement<E> =>
  Exit.isSuccess(exit) ? exit.value : { _tag: "Failed", error: new ToolInterrupted({ callId, tool, agent }) }

const hooksOf = <E>(call: CallInfo, env: Environment<E>): Hooks => {
  const report = (one: Report<E>): void => env.report(call.callId, one)
  return {
    incidentId: () => env.newId("inc"),
    started: Effect.suspend(() => {
      if (env.recordsCalls()) {
        return Effect.async<void>((resume) => report({ _tag: "Started", proceed: () => resume(Effect.void) }))
      }
      report({ _tag: "Started", proceed: undefined })
      return Effect.void
    }),
    handling: (run) =>
      Effect.acquireUseRelease(
        Effect.sync(() => env.handling(1)),
        () => run,
        () => Effect.sync(() => env.handling(-1))
      ),
    discarded: (lateMs) => report({ _tag: "Discarded", call, lateMs }),
    now: env.now,
    approvalCheckFailed: Effect.sync(() => report({ _tag: "ApprovalCheckFailed" })),
    decide: Effect.gen(function* () {
      const decision = yield* Deferred.make<Decision>()
      report({ _tag: "ApprovalNeeded", decision, deadline: env.timeOfDay() + env.approvalTimeout })
      const decided = Deferred.await(decision)
      const expire = Effect.sync(() => report({ _tag: "ApprovalExpired" }))
      // The loop decides, also that the time is over: a decision that came first stands.
      return yield* decided.pipe(
        Effect.timeoutTo({
          duration: env.approvalTimeout,
          onSuccess: (decision) => Effect.succeed(decision),
          onTimeout: () => Effect.zipRight(expire, decided)
        }),
        Effect.flatten
      )
    })
  }
}
