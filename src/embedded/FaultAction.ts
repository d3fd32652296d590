import type * as Duration from "effect/Duration"
import type { Parts } from "./Mind.js"
import { type JsonObject, type Refusal, refusal } from "./Shape.js"

/**
 * What to do instead of passing an event on. Actions are executed in order: `[wait("1 second"), pass]` is a delay, `[]`
 * drops the event, and `[pass, pass]` repeats it.
 *
 * @since 0.1.0
 * @category faults
 */
export type Action =
  | { readonly _tag: "Pass" }
  | { readonly _tag: "Send"; readonly event: JsonObject }
  | { readonly _tag: "SendText"; readonly text: string }
  | { readonly _tag: "Wait"; readonly duration: Duration.DurationInput }
  | { readonly _tag: "Refuse"; readonly refusal: Refusal; readonly echo: boolean }
  | { readonly _tag: "Respond" }
  | { readonly _tag: "Collide" }
  | { readonly _tag: "Answer"; readonly parts: Parts }
  | { readonly _tag: "Mute" }
  | { readonly _tag: "Close"; readonly code: number; readonly reason: string }
  | { readonly _tag: "Drop" }
  | {
      readonly _tag: "RefuseHandshake"
      readonly status: number
      readonly body: string
      readonly retryAfterMs?: number | undefined
    }
  | { readonly _tag: "Hang" }

/**
 * Passes the event on.
 *
 * @since 0.1.0
 * @category actions
 */
export const pass: Action = { _tag: "Pass" }

/**
 * Sends an event of your own, unchanged.
 *
 * @since 0.1.0
 * @category actions
 */
export const send = (event: JsonObject): Action => ({ _tag: "Send", event })

/**
 * Sends a text frame that need not be JSON.
 *
 * @since 0.1.0
 * @category actions
 */
export const sendText = (text: string): Action => ({ _tag: "SendText", text })

/**
 * Waits; everything after it in this direction waits too.
 *
 * @since 0.1.0
 * @category actions
 */
export const wait = (duration: Duration.DurationInput): Action => ({ _tag: "Wait", duration })

/**
 * Answers an incoming event with an `error`, with its event id unless `echo` is false.
 *
 * @since 0.1.0
 * @category actions
 */
export const refuse = (code: string, message: string, options: { readonly echo?: boolean } = {}): Action => ({
  _tag: "Refuse",
  refusal: refusal(code, message),
  echo: options.echo ?? true
})

/**
 * Begins a response of the server's own, as after a turn that voice activity detection found.
 *
 * @since 0.1.0
 * @category actions
 */
export const respond: Action = { _tag: "Respond" }

/**
 * Refuses an incoming `response.create` because of another response, whose `response.created` only follows then.
 *
 * @since 0.1.0
 * @category actions
 */
export const collide: Action = { _tag: "Collide" }

/**
 * Sets the parts of the next response, instead of the mind.
 *
 * @since 0.1.0
 * @category actions
 */
export const answer = (...parts: Parts): Action => ({ _tag: "Answer", parts })

/**
 * Sends nothing more, while the connection stays open.
 *
 * @since 0.1.0
 * @category actions
 */
export const mute: Action = { _tag: "Mute" }

/**
 * Closes the connection with a CLOSE frame.
 *
 * @since 0.1.0
 * @category actions
 */
export const close = (code: number, reason = ""): Action => ({ _tag: "Close", code, reason })

/**
 * Ends the connection without a CLOSE frame.
 *
 * @since 0.1.0
 * @category actions
 */
export const drop: Action = { _tag: "Drop" }
