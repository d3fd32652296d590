/**
 * A thread that speaks and listens, as the rest of the library knows it.
 */
import type * as Effect from "effect/Effect"
import type { Outcome, Task } from "./messages.js"
import type { VoiceUnavailable } from "./VoiceUnavailable.js"

export interface Thread {
  /** Who is interrupted while waiting spares the thread the work, if it has not begun. */
  readonly ask: (task: Task) => Effect.Effect<Outcome, VoiceUnavailable>
}
