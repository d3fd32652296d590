import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Context, type Guardrail, pass, trip, type Verdict } from "../../Guardrail.js"
import type { SessionEvent } from "../../SessionEvent.js"
import { quietly } from "../../tool/quietly.js"

/** What came of one check. */
export interface Judged {
  readonly guardrail: Pick<Guardrail, "name" | "subject">
  readonly agent: string
  readonly itemId: string | undefined
  readonly verdict: Verdict
  /** Why there is no verdict of the check's own, and this is what its `onFailure` makes of that. */
  readonly failure: Failure | undefined
}

/** `thrown`: what the check failed with; it may be the application's, and hold anything. */
export type Failure =
  | { readonly _tag: "CheckFailed"; readonly thrown: Redacted.Redacted<unknown> }
  | { readonly _tag: "NoTranscript" }

/** The longest that a check may take: a call may wait for it, and the tail of what is being said. */
const checkTimeout = "10 seconds"

/** Runs one check. Total: one that fails, dies or does not end counts by its `onFailure`. */
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
  return quietly((theirs) =>
    theirs(guardrail.check(text, context)).pipe(
      Effect.disconnect,
      Effect.timeout(checkTimeout),
      Effect.map((verdict): Judged => ({ guardrail, agent, itemId, verdict, failure: undefined })),
      // Who is stopped from outside does not get here: an interruption that does is the check's own, and a failure.
      Effect.catchAllCause((cause) => Effect.succeed(failed(cause)))
    )
  )
}

/** A check that tripped or failed is an event; one that passed is not. */
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
