import type { SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import type { Moment, Scene } from "./Observation.js"
import * as Withdrawals from "./withdrawals.js"

const begin = (scene: Scene) => {
  const withdrawals = Withdrawals.make(scene)
  /** For each guardrail, the responses whose words it tripped on. */
  const stopped = new Map<string, Set<string>>()
  const begun = new Set<string>()

  const tripped = ({ guardrail, itemId, subject }: Extract<SessionEvent, { readonly _tag: "GuardrailTripped" }>) => {
    const responseId = withdrawals.madeBy(itemId ?? "")
    if (subject !== "Output" || responseId === undefined) return
    stopped.set(guardrail, (stopped.get(guardrail) ?? new Set()).add(responseId))
  }

  const started = ({ cause, responseId }: Extract<SessionEvent, { readonly _tag: "ResponseStarted" }>) => {
    if (begun.has(responseId)) return []
    begun.add(responseId)
    // It was already on its way when the guardrail tripped, and is not played.
    if (withdrawals.isWithdrawn(responseId) || cause === undefined || cause.itemIds.length > 0) return []
    const after = [...cause.responseIds, ...cause.callIds.map(withdrawals.madeBy)]
    return after.length > 0 && after.every(withdrawals.isWithdrawn)
      ? [`${responseId} was requested for nothing but the calls of an answer that a guardrail had stopped.`]
      : []
  }

  /** Whether a guardrail of this name had a reason to stop what this response said. */
  const isJustified = (guardrail: string, responseId: string): boolean => {
    const since = withdrawals.beganAt(responseId)
    if (since === undefined || stopped.get(guardrail)?.has(responseId) === true) return true
    return withdrawals.questionsOf(guardrail).some((began) => began < since)
  }

  const heard = (responseId: string, what: string): ReadonlyArray<string> =>
    withdrawals.isWithdrawn(responseId)
      ? [`${what} of ${responseId} came after a guardrail had stopped the question.`]
      : []

  const published = (event: SessionEvent): ReadonlyArray<string> => {
    switch (event._tag) {
      case "ResponseStarted":
        return started(event)
      case "GuardrailTripped":
        tripped(event)
        return []
      case "GuardrailFailed":
        return event.reason === "CheckFailed" && event.failure === undefined
          ? [`Nobody can see why ${event.guardrail} failed.`]
          : []
      case "TextDelta":
      case "TextCompleted":
        return heard(event.responseId, "Words")
      case "ItemCut": {
        const { item } = event
        const responseId = withdrawals.madeBy(item.id)
        if (item._tag !== "Message" || item.blockedBy === undefined || responseId === undefined) return []
        return isJustified(item.blockedBy, responseId)
          ? []
          : [`${item.id} is said to be stopped by ${item.blockedBy}, and answers nothing that this guardrail stopped.`]
      }
      default:
        return []
    }
  }

  return (moment: Moment, at: number): ReadonlyArray<string> => {
    withdrawals.see(moment, at)
    if (moment._tag === "Played") return heard(moment.chunk.responseId, "Audio")
    return moment._tag === "Published" ? published(moment.event) : []
  }
}

export const guardrails: Law = both(
  "Guardrails",
  "What a guardrail stops is what it tripped on, or answers it, and nothing else. Of an answer to words of the user that were stopped, nothing more is heard or read, and the model is not asked to go on after its calls. A check that failed says why.",
  begin
)
