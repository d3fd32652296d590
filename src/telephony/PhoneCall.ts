/**
 * A phone call: ties the media stream of a vendor to a session. The caller's audio goes to the model, and the model's
 * audio to the caller. What was played counts as heard.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { Agent } from "../Agent.js"
import { CallGone, type RealtimeModel } from "../RealtimeModel.js"
import type { SessionError } from "../SessionError.js"
import type { ToolError } from "../ToolError.js"
import { begin, type Options, type PhoneCall } from "./beginCall.js"
import type { Current } from "./Current.js"
import type { Ending } from "./Departure.js"
import type * as MediaStream from "./MediaStream.js"

export { defaults, type Options, type PhoneCall } from "./beginCall.js"
export { Current } from "./Current.js"
export type { Ending } from "./Departure.js"
export type { Collected, CollectOptions } from "./Digits.js"
export { PhoneEvent } from "./PhoneEvent.js"

/**
 * Connects a call to the model. It ends with the scope, and closes its stream then. Fails with `CallGone` if the stream
 * ends before the session has begun. The tools of the agent may require `Current`, the call that they run in.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R, RO = never>(
  agent: Agent<E, R>,
  stream: MediaStream.MediaStream,
  options: Options<NoInfer<E>, RO> = {}
): Effect.Effect<PhoneCall<E>, SessionError, Scope.Scope | RealtimeModel | Exclude<R, Current> | RO> =>
  Effect.flatMap(
    begin(agent, stream, options),
    Either.mapLeft(
      () =>
        new CallGone({
          callId: stream.info.callId,
          message: "The call ended before its session had begun. Do nothing."
        })
    )
  )

/**
 * Talks with a caller until the call ends, and closes the stream, also if it fails or is interrupted. Fails with what
 * ended the session. If the caller hangs up while the session begins, that ends the call at once.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Agent } from "effect-realtime"
 * import { MediaStream, PhoneCall, PhoneTools, TelnyxMediaStream } from "effect-realtime/Telephony"
 *
 * const agent = Agent.make("Receptionist", { instructions: "Answer the phone.", tools: [PhoneTools.hangUp()] })
 *
 * export const answer = (socket: Parameters<typeof MediaStream.open>[0]) =>
 *   MediaStream.open(socket, TelnyxMediaStream.codec).pipe(
 *     Effect.flatMap((stream) => PhoneCall.run(agent, stream)),
 *     Effect.scoped
 *   )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const run = <E, R, RO = never>(
  agent: Agent<E, R>,
  stream: MediaStream.MediaStream,
  options: Options<NoInfer<E>, RO> = {}
): Effect.Effect<Ending, SessionError | ToolError<E>, RealtimeModel | Exclude<R, Current> | RO> =>
  Effect.scoped(
    Effect.flatMap(
      begin(agent, stream, options),
      Either.match({ onLeft: (ending) => Effect.succeed(ending), onRight: ({ ended }) => ended })
    )
  )
