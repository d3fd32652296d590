import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { quietlyWithin } from "../../common/quietly.js"
import { type Context, type Guardrail, pass, trip, type Verdict } from "../../Guardrail.js"
import type { SessionEvent } from "../../SessionEvent.js"

/** The result of one check. */
export interface Judged {
  readonly guardrail: Pick<Guardrail, "name" | "subject">
  readonly agent: string
  readonly itemId: string | undefined
  readonly verdict: Verdict
  /** Why the check has no verdict of its own; the verdict then follows from `onFailure`. */
  readonly failure: Failure | undefined
}

/** `thrown`: the failure of the check, which may be the application's value and hold anything. */
export type Failure =
  | { readonly _tag: "CheckFailed"; readonly thrown: Redacted.Redacted<unknown> }
  | { readonly _tag: "NoTranscript" }

/** The time limit of a check: a call may wait for it, and so may the end of a response. */
const checkTimeout = "10 seconds"

/** Runs one check. It always returns: if a check fails, dies or does not end, its `onFailure` decides. */
export const judge = <R>(
  guardrail: Guardrail<R>,
  text: string,
  context: Context,
  itemId: string | undefined
): Effect.Effect<Judged, never, R> => {
  const { agent } = context
  const failed = (cause: Cause.Cause<unknown>): Judged => ({
    guardrail,
    agent,
    itemId,
    verdict: guardrail.onFailure === "open" ? pass : trip("It could not be checked."),
    failure: { _tag: "CheckFailed", thrown: Redacted.make(Cause.squash(cause)) }
  })
  return quietlyWithin(
    Effect.suspend(() => guardrail.check(text, context)),
    { duration: checkTimeout, onTimeout: () => new Cause.TimeoutException() }
  ).pipe(
    Effect.map((verdict): Judged => ({ guardrail, agent, itemId, verdict, failure: undefined })),
    // An interruption from outside does not get here: one that does is the check's own, and a failure.
    Effect.catchAllCause((cause) => Effect.succeed(failed(cause)))
  )
}

/** A check that tripped or failed is published; one that passed is not. */
export const publishJudged = (
  { agent, failure, guardrail, itemId, verdict }: Judged,
  to: { readonly publish: (event: SessionEvent<never>) => void }
): void => {
  const { name, subject } = guardrail
  const judgement = { guardrail: name, agent, subject, itemId }
  if (failure !== undefined) {
    const thrown = failure._tag === "CheckFailed" ? { failure: failure.thrown } : {}
    to.publish({ _tag: "GuardrailFailed", ...judgement, reason: failure._tag, ...thrown })
  }
  if (verdict._tag === "Trip") to.publish({ _tag: "GuardrailTripped", ...judgement, feedback: verdict.feedback })
}
