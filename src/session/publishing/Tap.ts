import * as Context from "effect/Context"
import type { AudioChunk, SessionEvent } from "../../SessionEvent.js"

/**
 * Sees each event and each chunk of audio at the moment it is published, between what was sent before and after it.
 * Streams deliver it later. For tests of ordering.
 */
export class Tap extends Context.Reference<Tap>()("effect-realtime/session/Tap", {
  defaultValue: (): {
    readonly published: (event: SessionEvent) => void
    readonly played: (chunk: AudioChunk) => void
  } => ({ published: () => undefined, played: () => undefined })
}) {}
