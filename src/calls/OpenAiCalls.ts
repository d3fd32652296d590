/** The calls that OpenAI carries, over HTTP. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Agent from "../Agent.js"
import * as ApiKeys from "../openai/ApiKeys.js"
import type { ApiKey } from "../openai/Options.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import type { RealtimeSession } from "../protocol/SessionConfig.js"
import { CallGone } from "../RealtimeModel.js"
import { type CallsError, RequestInvalid, RequestRefused } from "./CallsError.js"
import { multipart } from "./multipart.js"
import { type Answer, type Caller, execute } from "./request.js"

/**
 * `E` and `R` are the failures and requirements of the effect that gives the API key.
 *
 * @since 0.1.0
 * @category options
 */
export interface Options<E = never, R = never> {
  /**
   * A project key, or an effect that gives one and runs before each request: for tokens that expire. A key that the
   * service does not accept (401) is asked for once more.
   */
  readonly apiKey: ApiKey<E, R>
  /** The base of all endpoints. Default: `https://api.openai.com/v1`. Projects in the EU have a host of their own. */
  readonly baseUrl?: string | undefined
  /** The organization to bill, if the key belongs to several. */
  readonly organization?: string | undefined
  /** The project to bill, if the key belongs to several. */
  readonly project?: string | undefined
  /** How long the service may take to answer one request. Default: 20 seconds: some answers took more than five. */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * What a call or a secret begins with: settings, instructions, tools and the model.
 *
 * @since 0.1.0
 * @category models
 */
export type CallSession = Agent.Settings & Pick<RealtimeSession, "instructions" | "tools" | "model">

/**
 * A key for one user's browser or app.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientSecret {
  /** `ek_…`. It can be used until it expires, more than once. */
  readonly value: Redacted.Redacted
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/**
 * A call over WebRTC.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreatedCall {
  /** `rtc_…`, for `OpenAiRealtime` (`callId`) and for `hangUp`. */
  readonly callId: string
  /** The SDP answer for the browser's peer connection. */
  readonly answer: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Makes a key for a browser or an app, which talks to the service directly. `session` is what its session begins with:
   * a default, which the browser can override, and not a lock. Put no secrets into instructions.
   */
  readonly clientSecret: (options?: {
    readonly session?: CallSession | undefined
    /** From 10 seconds to two hours. Default: the service's, 10 minutes. */
    readonly expiresAfter?: Duration.DurationInput | undefined
    /** A hash that names the user to the service, which may then act against one user and not against the account. */
    readonly safetyIdentifier?: string | undefined
  }) => Effect.Effect<ClientSecret, CallsError>
  /**
   * Makes a call over WebRTC from the SDP offer of a browser, whose answer it gives. An offer of more than 65,536
   * characters is `RequestInvalid`, and not sent.
   */
  readonly create: (offer: string, session?: CallSession) => Effect.Effect<CreatedCall, CallsError>
  /**
   * Answers a ringing call over SIP. What the API refuses at this point, or what silences a phone line, is left out: the
   * formats of audio, and the numbers of turn detection. The session beside the call may send them. Not idempotent, and
   * tried once: `CallGone` also means that the call was answered before.
   */
  readonly accept: (callId: string, session?: CallSession) => Effect.Effect<void, CallsError>
  /** Refuses a ringing call with a SIP status, 300 to 699. Default: 603, "Decline". Another one is `RequestInvalid`. */
  readonly reject: (callId: string, statusCode?: number) => Effect.Effect<void, CallsError>
  /** Transfers a call over SIP to a `tel:` or `sip:` address. It succeeds when the line was told, not when it answered. */
  readonly refer: (callId: string, targetUri: string) => Effect.Effect<void, CallsError>
  /** Ends a call over SIP or WebRTC. */
  readonly hangUp: (callId: string) => Effect.Effect<void, CallsError>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class OpenAiCalls extends Context.Tag("effect-realtime/OpenAiCalls")<OpenAiCalls, Service>() {}

export const defaultBaseUrl = "https://api.openai.com/v1"
export const defaultTimeout: Duration.DurationInput = "20 seconds"

const json = "application/json"

/** Without what the service refuses, or what silences a line, before the call is accepted. */
export const acceptable = (session: CallSession): CallSession => {
  const { audio } = session
  if (audio === undefined) return session
  const { format: _input, turn_detection: detection, ...input } = audio.input ?? {}
  const { format: _output, ...output } = audio.output ?? {}
  const detected = Predicate.isRecord(detection) ? withoutNumbers(detection) : detection
  const given = detected === undefined ? input : { ...input, turn_detection: detected }
  return { ...session, audio: { input: given, output } }
}

type Detection = NonNullable<NonNullable<NonNullable<CallSession["audio"]>["input"]>["turn_detection"]>

const withoutNumbers = (detection: Detection): Detection => {
  if (detection.type !== "server_vad") return detection
  const { prefix_padding_ms: _padding, silence_duration_ms: _silence, threshold: _threshold, ...rest } = detection
  return rest
}

/** The longest SDP offer that is sent: a browser's has some kilobytes. In UTF-16 code units. */
export const maxOfferLength = 64 * 1024

/** It may come from a page that nobody trusts. */
const checkedOffer = (offer: string): Effect.Effect<string, RequestInvalid> =>
  offer.length <= maxOfferLength
    ? Effect.succeed(offer)
    : new RequestInvalid({
        action: "create",
        param: "offer",
        message: `The SDP offer has ${offer.length} characters, and at most ${maxOfferLength} are sent. Give \`sdp\` of the description that \`createOffer\` makes, and refuse the page that sent this.`
      })

const checkedStatus = (statusCode: number | undefined): Effect.Effect<number | undefined, RequestInvalid> =>
  statusCode === undefined || (Number.isInteger(statusCode) && statusCode >= 300 && statusCode <= 699)
    ? Effect.succeed(statusCode)
    : new RequestInvalid({
        action: "reject",
        param: "statusCode",
        message: `${statusCode} refuses no call: give a SIP status from 300 to 699, such as 486 or 603.`
      })

const odd = (action: string, what: string): RequestRefused =>
  new RequestRefused({
    action,
    status: 200,
    message: `The service's answer to ${action} has no ${what}. Check that the address is the one of the Realtime API.`
  })

const secretOf = (answer: Answer): Effect.Effect<ClientSecret, RequestRefused> => {
  const secret = secretIn(answer)
  return secret === undefined ? odd("clientSecret", "secret") : Effect.succeed(secret)
}

const secretIn = ({ text }: Answer): ClientSecret | undefined => {
  try {
    const body: unknown = JSON.parse(text)
    if (!Predicate.isRecord(body)) return undefined
    const { expires_at: expiresAt, value } = body
    return typeof value === "string" && typeof expiresAt === "number"
      ? { value: Redacted.make(value), expiresAtMs: expiresAt * 1_000 }
      : undefined
  } catch {
    return undefined
  }
}

/** An id as a part of a path. One that would lead elsewhere, or that no URL can have, is that of no call. */
const segmentOf = (callId: string): Effect.Effect<string, CallGone> =>
  Effect.try({
    try: () => {
      if (/^\.{0,2}$/.test(callId)) throw new Error("It leads elsewhere.")
      return encodeURIComponent(callId)
    },
    catch: () => {
      const message = `${JSON.stringify(callId)} cannot be the id of a call: take it from the webhook, or from \`create\`.`
      return new CallGone({ callId, message })
    }
  })

/** The last part of the path of the call's address. */
const callIdIn = ({ headers }: Answer): string | undefined => {
  const segment = headers["location"]?.split(/[?#]/)[0]?.replace(/\/+$/, "").split("/").at(-1)
  try {
    return segment === undefined || segment === "" ? undefined : decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

const createdOf = (answer: Answer): Effect.Effect<CreatedCall, RequestRefused> => {
  const callId = callIdIn(answer)
  return callId === undefined ? odd("create", "Location") : Effect.succeed({ callId, answer: answer.text })
}

/**
 * Makes the service. It sends nothing, and asks for no key, until it is used.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E = never, R = never>(
  options: Options<E, R>
): Effect.Effect<Service, OptionsInvalid, HttpClient.HttpClient | R> =>
  Effect.gen(function* () {
    yield* Rule.validate("Calls.make", rules.calls, options)
    const base = (options.baseUrl ?? defaultBaseUrl).replace(/\/+$/, "")
    const timeout = Duration.decode(options.timeout ?? defaultTimeout)
    const keys = yield* ApiKeys.make(options.apiKey, { url: base, within: timeout })
    const caller: Caller = { client: yield* HttpClient.HttpClient, timeout, take: keys.take, mayChange: keys.areAsked }
    const headers = {
      ...(options.organization === undefined ? {} : { "openai-organization": options.organization }),
      ...(options.project === undefined ? {} : { "openai-project": options.project })
    }
    const send = (action: string, path: string, given: Partial<Parameters<typeof execute>[0]>) =>
      execute(
        {
          action,
          url: `${base}/realtime/${path}`,
          contentType: json,
          body: undefined,
          callId: undefined,
          ...given,
          headers: { ...headers, ...given.headers }
        },
        caller
      )
    const act = (action: string, callId: string, body: object | undefined) =>
      Effect.flatMap(segmentOf(callId), (segment) =>
        Effect.asVoid(
          send(action, `calls/${segment}/${action}`, {
            callId,
            body: body === undefined ? undefined : JSON.stringify(body)
          })
        )
      )
    return {
      clientSecret: ({ expiresAfter, safetyIdentifier, session } = {}) =>
        Effect.flatMap(
          send("clientSecret", "client_secrets", {
            headers: safetyIdentifier === undefined ? {} : { "openai-safety-identifier": safetyIdentifier },
            body: JSON.stringify({
              session: { ...session, type: "realtime" },
              ...(expiresAfter === undefined
                ? {}
                : { expires_after: { anchor: "created_at", seconds: Math.round(Duration.toSeconds(expiresAfter)) } })
            })
          }),
          secretOf
        ),
      create: (offer, session) =>
        checkedOffer(offer).pipe(
          Effect.flatMap((sdp) =>
            send(
              "create",
              "calls",
              multipart([
                ["sdp", "application/sdp", sdp],
                ["session", json, JSON.stringify({ ...session, type: "realtime" })]
              ])
            )
          ),
          Effect.flatMap(createdOf)
        ),
      accept: (callId, session = {}) => act("accept", callId, { ...acceptable(session), type: "realtime" }),
      reject: (callId, statusCode) =>
        Effect.flatMap(checkedStatus(statusCode), (status) =>
          act("reject", callId, status === undefined ? {} : { status_code: status })
        ),
      refer: (callId, targetUri) => act("refer", callId, { target_uri: targetUri }),
      hangUp: (callId) => act("hangup", callId, undefined)
    }
  })

/**
 * @since 0.1.0
 * @category layers
 */
export const layer = <E = never, R = never>(
  options: Options<E, R>
): Layer.Layer<OpenAiCalls, OptionsInvalid, HttpClient.HttpClient | R> => Layer.effect(OpenAiCalls, make(options))

/**
 * For a browser or an app: begins a call over WebRTC with a client secret, and gives the answer for the peer connection.
 * `offer`: after the data channel `oai-events` was made. Nothing else of the library is needed there.
 *
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import * as Calls from "effect-realtime/Calls"
 * import { Effect, Redacted } from "effect"
 *
 * const call = (peer: RTCPeerConnection, secret: string) =>
 *   Effect.gen(function* () {
 *     const offer = yield* Effect.promise(() => peer.createOffer())
 *     yield* Effect.promise(() => peer.setLocalDescription(offer))
 *     const { answer, callId } = yield* Calls.exchangeSdp(offer.sdp ?? "", Redacted.make(secret))
 *     yield* Effect.promise(() => peer.setRemoteDescription({ type: "answer", sdp: answer }))
 *     return callId
 *   }).pipe(Effect.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const exchangeSdp = (
  offer: string,
  clientSecret: Redacted.Redacted,
  options: Pick<Options, "baseUrl" | "timeout"> = {}
): Effect.Effect<CreatedCall, CallsError | OptionsInvalid, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    yield* Rule.validate("Calls.exchangeSdp", rules.calls, { ...options, apiKey: clientSecret })
    const answer = yield* execute(
      {
        action: "create",
        url: `${(options.baseUrl ?? defaultBaseUrl).replace(/\/+$/, "")}/realtime/calls`,
        contentType: "application/sdp",
        body: yield* checkedOffer(offer),
        headers: {},
        callId: undefined
      },
      {
        client: yield* HttpClient.HttpClient,
        timeout: Duration.decode(options.timeout ?? defaultTimeout),
        take: Effect.succeed(clientSecret),
        mayChange: false
      }
    )
    return yield* createdOf(answer)
  })
