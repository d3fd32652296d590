/** What to do with a call that rings over SIP: answer it with an agent, or decline it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Agent from "../Agent.js"
import { quietly } from "../common/quietly.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import * as together from "../options/together.js"
import { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import type { SessionError } from "../SessionError.js"
import { defaults } from "../session/options.js"
import { merge } from "../session/settings/merge.js"
import type { ToolError } from "../ToolError.js"
import type { CallSession } from "./OpenAiCalls.js"

/**
 * What to do with a call that rings. `E` and `R` are the failures and requirements of what is done.
 *
 * @since 0.1.0
 * @category models
 */
export type Decision<E = never, R = never> =
  | {
      readonly _tag: "Answer"
      /** What the call begins with, until its session has sent everything. If it fails, the call is declined. */
      readonly session: Effect.Effect<CallSession, E, R>
      /** Ends with the call. `model`: what the session beside it connects to. */
      readonly talk: (model: Context.Tag.Service<RealtimeModel>) => Effect.Effect<void, E, R>
    }
  | { readonly _tag: "Decline"; readonly statusCode: number | undefined }

/**
 * @since 0.1.0
 * @category options
 */
export interface AnswerOptions<E, E2, R2> {
  /** The model of the call. Default: the service's. */
  readonly model?: string | undefined
  readonly session?: Session.Options<E> | undefined
  /**
   * Runs when the session has begun, and is interrupted when the call ends, which does not wait for it. If it fails, the
   * call ends. Default: the model is asked to speak first, because it says nothing by itself.
   */
  readonly begin?: ((session: Session.Session<E>) => Effect.Effect<unknown, E2, R2>) | undefined
}

/** If the session has ended, it says why itself. */
const greet = <E>(session: Session.Session<E>) => Effect.ignore(session.requestResponse())

/** Runs it with this model, and with a scope of its own. */
const within = <A, E, R>(
  model: Context.Tag.Service<RealtimeModel>,
  effect: Effect.Effect<A, E, R | RealtimeModel | Scope.Scope>
): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) =>
      Effect.mapInputContext(effect, (context: Context.Context<R>) =>
        Context.add(Context.add(context, RealtimeModel, model), Scope.Scope, scope)
      ),
    (scope, exit) => Scope.close(scope, exit)
  )

/**
 * Answers the call with an agent. If the agent or the options of its session cannot be used, the call is declined: nobody
 * is picked up and hung up on. When the user hangs up, its session ends; when the session ends otherwise, the call is
 * hung up.
 *
 * @since 0.1.0
 * @category constructors
 */
export const answer = <E, R, E2 = never, R2 = never>(
  agent: Agent.Agent<E, R>,
  options: AnswerOptions<E, E2, R2> = {}
): Decision<SessionError | ToolError<E> | E2, R | R2> => ({
  _tag: "Answer",
  session: Effect.gen(function* () {
    yield* Agent.validate(agent)
    yield* Rule.validate("Session.make", rules.session, options.session ?? {}, together.session(defaults))
    return {
      ...merge(agent.settings, options.session?.settings ?? {}),
      instructions: yield* agent.instructions,
      ...(options.model === undefined ? {} : { model: options.model })
    }
  }),
  talk: (model) =>
    within(
      model,
      Effect.flatMap(Session.make(agent, options.session), (session) => {
        const begun: Effect.Effect<unknown, E2, R2> = options.begin?.(session) ?? greet(session)
        // The line is held by its session: what cannot be interrupted ends when it likes, and nobody waits for it.
        const beside = quietly((theirs) => Effect.disconnect(theirs(begun)))
        return Effect.raceFirst(session.await, Effect.zipRight(beside, Effect.never)).pipe(
          // The user has hung up, which is how most calls end.
          Effect.catchIf(isCallGone, () => Effect.void)
        )
      })
    )
})

const isCallGone = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "CallGone"

/**
 * Refuses the call. `statusCode`: of SIP, 300 to 699. Default: 603, "Decline", which is also sent in
 * place of what is no such status; `onEnd` gets `RequestInvalid` then.
 *
 * @since 0.1.0
 * @category constructors
 */
export const decline = (statusCode?: number): Extract<Decision, { readonly _tag: "Decline" }> => ({
  _tag: "Decline",
  statusCode
})
