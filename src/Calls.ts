/**
 * Calls that OpenAI carries: keys for browsers, calls over WebRTC and over SIP, and the webhook that announces those. The
 * caller's audio goes to OpenAI directly; a session here stands beside the call, with the tools and the keys. It has its
 * own entry point, `effect-realtime/Calls`.
 *
 * @example
 * ```ts
 * import { FetchHttpClient, HttpRouter } from "@effect/platform"
 * import { Config, Effect, Layer } from "effect"
 * import { Agent, OpenAiRealtime } from "effect-realtime"
 * import * as Calls from "effect-realtime/Calls"
 *
 * const desk = Agent.make("Desk", { instructions: "Answer the phone of a small hotel." })
 *
 * export const router = Effect.gen(function* () {
 *   const apiKey = yield* Config.redacted("OPENAI_API_KEY")
 *   const secret = yield* Config.redacted("OPENAI_WEBHOOK_SECRET")
 *   const { app } = yield* Calls.sip({
 *     secret,
 *     decide: () => Effect.succeed(Calls.answer(desk)),
 *     beside: (callId) => OpenAiRealtime.make({ apiKey, callId })
 *   }).pipe(Effect.provide(Calls.layer({ apiKey }).pipe(Layer.provide(FetchHttpClient.layer))))
 *   return HttpRouter.empty.pipe(HttpRouter.post("/openai", app))
 * })
 * ```
 *
 * @since 0.1.0
 * @module
 */
export { type CallsError, CallsUnreachable, RequestInvalid, RequestRefused } from "./calls/CallsError.js"
export { type AnswerOptions, answer, type Decision, decline } from "./calls/Decision.js"
export {
  type CallSession,
  type ClientSecret,
  type CreatedCall,
  exchangeSdp,
  layer,
  make,
  OpenAiCalls,
  type Options,
  type Service
} from "./calls/OpenAiCalls.js"
export { type CallFailure, type Sip, type SipOptions, sip, sipDefaults } from "./calls/Sip.js"
export {
  type Delivery,
  type IncomingCall,
  type OtherWebhook,
  type Secrets,
  sign,
  verify,
  type Webhook,
  WebhookRejected
} from "./calls/Webhook.js"
export { OptionsInvalid } from "./options/OptionsInvalid.js"
export { CallGone } from "./RealtimeModel.js"
