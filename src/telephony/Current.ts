/**
 * The phone call that a tool runs in.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Collected, CollectOptions } from "./Digits.js"
import type { Info } from "./MediaStream.js"
import type { PhoneEvent } from "./PhoneEvent.js"

/**
 * The phone call that a tool runs in. A tool that requires it can only be used in a phone call: `PhoneCall.run` and
 * `PhoneCall.make` provide it.
 *
 * @since 0.1.0
 * @category tags
 */
export class Current extends Context.Tag("effect-realtime/PhoneCall/Current")<
  Current,
  {
    readonly info: Info
    /** What happens to the call from now on. A reader that is slow misses the oldest of 256. */
    readonly events: Stream.Stream<PhoneEvent>
    /** Waits for digits of the caller. */
    readonly collect: (options?: CollectOptions) => Effect.Effect<Collected>
    /**
     * Ends the call when the caller has heard everything. `callId`: of the tool call whose answer is the goodbye; if
     * absent, nothing more is said.
     */
    readonly hangUp: (callId?: string) => Effect.Effect<void>
    /** Like `hangUp`, and then connects the caller to another destination, with the call's option `transfer`. */
    readonly transfer: (destination: string, callId?: string) => Effect.Effect<void>
  }
>() {}
