/**
 * The thread of the voice, where the condition `node` holds (`imports` in `package.json`). It is loaded when it is asked
 * for, so that whoever imports the library does not load worker threads with it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Thread } from "./Thread.js"
import type { VoiceUnavailable } from "./VoiceUnavailable.js"

export const acquire: Effect.Effect<Thread, VoiceUnavailable, Scope.Scope> = /*#__PURE__*/ Effect.flatMap(
  /*#__PURE__*/ Effect.promise(() => import("./nodeThread.js")),
  (node) => node.acquire
)
