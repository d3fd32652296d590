/**
 * Replaces `threadOnNode.ts` where the condition `node` does not hold.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Thread } from "./Thread.js"
import { VoiceUnavailable } from "./VoiceUnavailable.js"

export const acquire: Effect.Effect<Thread, VoiceUnavailable, Scope.Scope> = /*#__PURE__*/ Effect.suspend(
  () =>
    new VoiceUnavailable({
      reason: "NotNode",
      message:
        "The embedded voice runs on Node only. In a page, leave it out: the embedded server then answers with tones."
    })
)
