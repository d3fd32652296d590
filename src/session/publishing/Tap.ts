import * as Context from "effect/Context"
import type { SessionEvent } from "../../SessionEvent.js"

/**
 * Sees each event in the moment in which it is published, between what was sent before and after it: streams deliver it
 * later. For tests of the order of things.
 */
export class Tap extends Context.Reference<Tap>()("effect-realtime/session/Tap", {
  defaultValue: (): ((event: SessionEvent) => void) => () => undefined
}) {}
