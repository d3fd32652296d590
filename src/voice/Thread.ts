/**
 * The interface of the thread that speaks and listens.
 */
import type * as Effect from "effect/Effect"
import type { Outcome, Task } from "./messages.js"
import type { VoiceUnavailable } from "./VoiceUnavailable.js"

export interface Thread {
  /** If it is interrupted before the thread begins the work, the work is skipped. */
  readonly ask: (task: Task) => Effect.Effect<Outcome, VoiceUnavailable>
  /** A new number for a turn detector. */
  readonly newDetector: () => number
  /** The thread drops the turn detector with this number. */
  readonly forget: (detector: number) => void
}
