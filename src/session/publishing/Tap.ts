import * as Context from "effect/Context"
import type { AudioChunk, SessionEvent } from "../../SessionEvent.js"

/**
 * Sees each event, and each piece of audio, in the moment in which it is published, between what was sent before and
 * after it: streams deliver it later. For tests of the order of things.
 */
export class Tap extends Context.Reference<Tap>()("effect-realtime/session/Tap", {
  defaultValue: (): {
    readonly published: (event: SessionEvent) => void
    readonly played: (chunk: AudioChunk) => void
  } => ({ published: () => undefined, played: () => undefined })
}) {}
