/**
 * The thread of the voice under the condition `node` (`imports` in `package.json`). It is loaded on demand, so that
 * importing the library does not load worker threads.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Thread } from "./Thread.js"
import type { VoiceUnavailable } from "./VoiceUnavailable.js"

export const acquire: Effect.Effect<Thread, VoiceUnavailable, Scope.Scope> = /*#__PURE__*/ Effect.flatMap(
  /*#__PURE__*/ Effect.promise(() => import("./nodeThread.js")),
  (node) => node.acquire
)
