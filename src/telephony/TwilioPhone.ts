/**
 * A phone number of Twilio's that an agent answers: the webhook and the media socket, with everything that keeps
 * strangers out.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { Agent } from "../Agent.js"
import { atTheEnd } from "../common/atTheEnd.js"
import { quietlyWithin } from "../common/quietly.js"
import { steadyClock } from "../common/steadyClock.js"
import { TaggedError } from "../common/TaggedError.js"
import { tell } from "../common/tell.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import { withheld } from "../protocol/withheld.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import type { SessionError } from "../SessionError.js"
import * as Attendance from "../serving/Attendance.js"
import { guarded, hangUp, peerOf } from "../serving/Peer.js"
import { logFailedCall } from "../session/telemetry/logFailedCall.js"
import type { ToolError } from "../ToolError.js"
import * as account from "./account.js"
import { begin } from "./beginCall.js"
import * as CallTokens from "./CallTokens.js"
import type { Current } from "./Current.js"
import * as limits from "./limits.js"
import * as MediaStream from "./MediaStream.js"
import type * as PhoneCall from "./PhoneCall.js"
import { Places } from "./Places.js"
import { type FormatUnsupported, StreamNotTrusted, type StreamProtocol } from "./StreamError.js"
import { codec } from "./TwilioMediaStream.js"
import { type SignedRequest, verify } from "./TwilioSignature.js"
import * as twiml from "./twiml.js"
import { readForm, tooLong, WebhookTooLong } from "./webhook.js"

/**
 * A call that rings. All of this is signed by Twilio; `from` is what the caller's network claims.
 *
 * @since 0.1.0
 * @category models
 */
export interface Incoming {
  /** Twilio's `CallSid`. */
  readonly callId: string
  /** Such as `+4930123456`, or `anonymous`. */
  readonly from: string
  readonly to: string
  /** Every field of the webhook. */
  readonly fields: { readonly [name: string]: string }
}

/**
 * Who talks with a caller, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call<E, R, RO> {
  readonly agent: Agent<E, R>
  /** Default of `transfer`: Twilio dials the destination, a phone number or a SIP address. */
  readonly options?: PhoneCall.Options<E, RO>
}

/**
 * The call is not answered. Twilio rejects it, which costs nothing.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallRejected extends TaggedError<CallRejected>()("CallRejected", {
  /** What the caller hears: that the number is not in service (`"rejected"`), or the busy signal. Default: the former. */
  reason: Schema.Literal("rejected", "busy").pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => "rejected" as const)
  )
}) {}

/**
 * The option `call` of a call that rang died, or took too long. The caller hears the busy signal.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallUndecided extends TaggedError<CallUndecided>()("CallUndecided", {
  callId: Schema.String,
  how: Schema.Literal("Died", "TimedOut"),
  ...withheld
}) {
  override get message(): string {
    return this.how === "Died"
      ? "The caller hears the busy signal, because the option `call` died: `Redacted.value` of `reason` is what it died with."
      : `The caller hears the busy signal, because the option \`call\` took longer than ${chosenWithin}: make it faster.`
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<E, R, RC = never, RO = never, RE = never> {
  /** The auth token of the account, from Twilio's console. If it is empty, nothing starts. */
  readonly authToken: Redacted.Redacted<string>
  /**
   * The URL of this app for Twilio, without a slash at the end, such as `https://phone.example.com`. It is part of every
   * signature. In Twilio's console, set the webhook of the number to this URL and `/voice`.
   */
  readonly publicUrl: string
  /**
   * Chooses the agent for a call that rings. If it dies, or takes longer than 10 seconds, the caller hears the busy
   * signal, and `onRefused` gets `CallUndecided`: Twilio itself waits 15 seconds.
   */
  readonly call: (incoming: Incoming) => Effect.Effect<Call<E, R, RO>, CallRejected, RC>
  /** How many calls at a time, with those that ring. Further callers hear the busy signal. Default: 100. */
  readonly maxCalls?: number
  /**
   * Called with each request or stream that is not let in, and with each call whose agent was not chosen. Nothing else is
   * disturbed by it, even if it throws. Default: none.
   */
  readonly onRefused?: (error: Refusal) => void
  /**
   * Called when a call that was answered is over, with how it ended, or with why its session could not begin or failed.
   * The scope waits for this for 10 seconds when it closes. What your code failed with is nowhere else: the log has only
   * its tag. Default: nothing.
   */
  readonly onEnd?: (call: Incoming, exit: Exit.Exit<PhoneCall.Ending, CallFailure<E>>) => Effect.Effect<void, never, RE>
  /** How long calls may go on after the scope closes. Default: 30 seconds. */
  readonly drainWithin?: Duration.DurationInput
}

/**
 * Why a call that was answered failed: its session could not begin or failed, or a tool ended it (`onFailure:
 * "terminate"`).
 *
 * @since 0.1.0
 * @category errors
 */
export type CallFailure<E> = SessionError | ToolError<E>

/**
 * Why a request or a stream was not let in, or why a caller hears the busy signal.
 *
 * @since 0.1.0
 * @category errors
 */
export type Refusal = CallUndecided | StreamNotTrusted | StreamProtocol | FormatUnsupported

/**
 * @since 0.1.0
 * @category models
 */
export interface TwilioPhone {
  /** Answers `/voice`, `/media` and `/after`. Mount it at the path of `publicUrl`. */
  readonly app: HttpApp.Default
  /** The number of streams, including those that have not said which call they belong to. */
  readonly streams: Effect.Effect<number>
  /** Answers no more calls, lets those that there are go on for `drainWithin`, and then ends those that are left. */
  readonly drain: Effect.Effect<void>
}

const xml = (text: string) => HttpServerResponse.text(text, { contentType: "text/xml" })

/**
 * Answers calls until the scope closes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E, R, RC = never, RO = never, RE = never>(
  options: Options<E, R, RC, RO, RE>
): Effect.Effect<TwilioPhone, OptionsInvalid, Scope.Scope | RealtimeModel | Exclude<R, Current> | RC | RO | RE> =>
  Effect.gen(function* () {
    yield* Rule.validate("TwilioPhone.make", rules.twilioPhone, options, account.problemsOf)
    const { authToken, drainWithin = "30 seconds", maxCalls = limits.maxCalls } = options
    const publicUrl = options.publicUrl.replace(/\/+$/, "")
    const socketUrl = publicUrl.replace(/^http/, "ws")
    const context = yield* Effect.context<RealtimeModel | Exclude<R, Current> | RC | RO | RE>()
    const clock = steadyClock(yield* Effect.clock)
    const now = () => clock.unsafeCurrentTimeMillis()
    const tokens = yield* CallTokens.make<{ readonly incoming: Incoming; readonly call: Call<E, R, RO> }>({
      validFor: beginsWithin
    })
    const places = new Places(maxCalls, Duration.toMillis(beginsWithin))
    const transfers = new Map<string, string>()
    /** How to hang up. */
    const live = new Map<MediaStream.MediaStream, Effect.Effect<void>>()
    const sockets = yield* Attendance.make
    const ends = yield* FiberSet.make<void>()
    let isClosing = false

    const trusted = (request: HttpServerRequest, base: string, path: string, fields: SignedRequest["fields"] = {}) => {
      const query = request.originalUrl.replace(/^[^?]*/, "")
      return verify(authToken, { url: base + path + query, fields, headers: request.headers })
    }
    /** The fields of a signed webhook. */
    const webhook = (path: string) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest
        const { fields, signed } = yield* readForm(request)
        yield* trusted(request, publicUrl, path, signed)
        return fields
      })

    const told = (error: Refusal) =>
      Effect.sync(() => {
        const { onRefused } = options
        if (onRefused !== undefined) tell(onRefused, error, () => undefined)
      })
    const refused = (error: Refusal) =>
      Effect.zipRight(told(error), Effect.logWarning("A request was refused.", error.message))

    /** Who calls hears something, whatever the application does. */
    const chosen = (incoming: Incoming) => {
      const { callId } = incoming
      const unchosen = (line: string, error: CallUndecided) =>
        Effect.annotateLogs(Effect.logWarning(`A phone call is not answered, because the option \`call\` ${line}`), {
          callId
        }).pipe(Effect.zipRight(told(error)), Effect.zipRight(new CallRejected({ reason: "busy" })))
      return quietlyWithin(
        Effect.suspend(() => options.call(incoming)),
        { duration: chosenWithin, onTimeout: () => "TimedOut" as const }
      ).pipe(
        Effect.catchAllDefect((defect) =>
          unchosen(
            "died. What it failed with is not printed: `onRefused` gets it.",
            new CallUndecided({ callId, how: "Died", reason: Redacted.make(defect) })
          )
        ),
        Effect.catchIf(
          (error) => error === "TimedOut",
          () => unchosen("took too long.", new CallUndecided({ callId, how: "TimedOut" }))
        ),
        Effect.provide(context)
      )
    }

    const voice = Effect.gen(function* () {
      const fields = yield* webhook("/voice")
      const { CallSid: callId = "", From: from = "", To: to = "" } = fields
      if (isClosing || sockets.size() >= maxCalls || !places.take(callId, now())) return xml(twiml.reject("busy"))
      const incoming = { callId, from, to, fields }
      const token = yield* chosen(incoming).pipe(
        Effect.flatMap((call) => tokens.issue(callId, { incoming, call })),
        Effect.onError(() => Effect.sync(() => places.leave(callId)))
      )
      places.take(callId, now())
      return xml(twiml.connect(`${socketUrl}/media`, `${publicUrl}/after`, { token }))
    }).pipe(Effect.catchTag("CallRejected", ({ reason }) => Effect.succeed(xml(twiml.reject(reason)))))

    const after = Effect.gen(function* () {
      const { CallSid: callId = "" } = yield* webhook("/after")
      places.leave(callId)
      const destination = transfers.get(callId)
      transfers.delete(callId)
      return xml(destination === undefined ? twiml.hangUp : twiml.dial(destination))
    })

    const transfer = (callId: string) => (destination: string) =>
      Effect.sync(() => {
        transfers.set(callId, destination)
        if (transfers.size > limits.maxTokens) for (const oldest of transfers.keys()) return transfers.delete(oldest)
      })
    /** It keeps no place, however long the application takes. A call that outlived the scope has an end, too. */
    const ended = (call: Incoming, exit: Exit.Exit<PhoneCall.Ending, CallFailure<E>>) =>
      atTheEnd(
        call.callId,
        Effect.suspend(() => options.onEnd?.(call, exit) ?? Effect.void)
      ).pipe(
        Effect.forkDaemon,
        Effect.flatMap((fiber) => FiberSet.add(ends, fiber)),
        // It begins before it can be interrupted.
        Effect.uninterruptible
      )
    const talk = (stream: MediaStream.MediaStream, { agent, options: own = {} }: Call<E, R, RO>) =>
      Effect.gen(function* () {
        const { callId } = stream.info
        yield* Effect.acquireRelease(
          Effect.sync(() => places.begin(callId)),
          () => Effect.sync(() => places.end(callId))
        )
        if (isClosing) return yield* Effect.as(stream.close, { _tag: "Closed" } as const)
        yield* Effect.acquireRelease(
          Effect.sync(() => live.set(stream, stream.close)),
          () => Effect.sync(() => live.delete(stream))
        )
        const begun = yield* begin(agent, stream, { transfer: transfer(callId), ...own })
        const ending = yield* Either.match(begun, {
          onLeft: (ending) => Effect.succeed(ending),
          onRight: ({ ended, hangUp }) => {
            live.set(stream, hangUp)
            return Effect.zipRight(Effect.annotateLogs(Effect.logInfo("A phone call has begun."), { callId }), ended)
          }
        })
        yield* Effect.annotateLogs(Effect.logInfo("A phone call has ended."), { callId, ending: ending._tag })
        return ending
      }).pipe(Effect.scoped)
    const converse = (stream: MediaStream.MediaStream) =>
      Effect.gen(function* () {
        const { callId, parameters } = stream.info
        const { call, incoming } = yield* tokens.redeem(callId, parameters["token"])
        yield* talk(stream, call).pipe(
          Effect.onError((cause) => logFailedCall(callId, cause, { hook: "onEnd" })),
          Effect.onExit((exit) => ended(incoming, exit)),
          // It was told of.
          Effect.exit
        )
      }).pipe(
        Effect.catchAll((error) => Effect.zipRight(stream.refuse(error.message), refused(error))),
        // The call has a scope of its own, which is not that of the server.
        Effect.mapInputContext((own: Context.Context<Scope.Scope>) =>
          Context.add(context, Scope.Scope, Context.get(own, Scope.Scope))
        )
      )
    const media = Effect.gen(function* () {
      const request = yield* HttpServerRequest
      yield* trusted(request, socketUrl, "/media")
      if (isClosing || sockets.size() >= maxCalls) return HttpServerResponse.empty({ status: 503 })
      yield* sockets.attend
      const peer = peerOf(request.source)
      const socket = guarded(yield* request.upgrade, peer, {
        maxBufferedBytes: limits.maxBufferedBytes,
        maxMessageBytes: limits.maxFrameBytes
      })
      yield* MediaStream.open(socket, codec).pipe(
        Effect.flatMap(converse),
        Effect.catchTags({ FormatUnsupported: refused, StreamProtocol: refused }),
        Effect.scoped,
        Effect.ensuring(hangUp(peer))
      )
      return HttpServerResponse.empty()
    })

    const answered = <E1 extends { readonly _tag: string; readonly message: string }>(
      app: HttpApp.Default<E1 | StreamNotTrusted>
    ): HttpApp.Default =>
      app.pipe(
        // The platform runs its apps in an uninterruptible region.
        Effect.interruptible,
        Effect.catchAll((error) =>
          error instanceof StreamNotTrusted
            ? Effect.as(refused(error), HttpServerResponse.text("This is not signed by Twilio.", { status: 403 }))
            : error instanceof WebhookTooLong
              ? Effect.succeed(tooLong)
              : Effect.succeed(HttpServerResponse.text("This is no request of Twilio's.", { status: 400 }))
        )
      )
    const app = HttpRouter.empty.pipe(
      HttpRouter.post("/voice", answered(voice)),
      HttpRouter.post("/after", answered(after)),
      HttpRouter.get("/media", answered(Effect.scoped(media))),
      Effect.catchTag("RouteNotFound", () => HttpServerResponse.empty({ status: 404 }))
    )
    const drain = yield* Effect.once(
      Effect.gen(function* () {
        isClosing = true
        const without = (duration: Duration.DurationInput) =>
          Effect.timeoutOption(Effect.interruptible(sockets.none), duration)
        yield* without(drainWithin)
        yield* Effect.forEach(Array.from(live.values()), (hangUp) => hangUp)
        yield* without(farewell)
      })
    )
    yield* Effect.addFinalizer(() => drain)
    return { app, streams: Effect.sync(sockets.size), drain }
  })

/** How long the application may take to choose the agent of a call. */
const chosenWithin = "10 seconds"

/** How long Twilio may take until the stream of a call begins. */
const beginsWithin = "1 minute"

/** How long sockets may take to close after all calls have ended. */
const farewell = "2 seconds"

/**
 * Serves a phone until the scope closes, and then drains it (`drain`). `app`: your own router, with the phone's app in it.
 * Default: only the phone's app, at every path.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = (
  phone: TwilioPhone,
  { app = phone.app }: { readonly app?: HttpApp.Default } = {}
): Effect.Effect<void, never, HttpServer.HttpServer | Scope.Scope> =>
  // In this order: what is added last ends first, and calls end before the server.
  Effect.zipRight(
    HttpServer.serveEffect(app),
    Effect.addFinalizer(() => phone.drain)
  )

/**
 * Serves only this app, at every path.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http"
 * import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
 * import { Effect, Layer, Redacted } from "effect"
 * import { Agent, OpenAiRealtime } from "effect-realtime"
 * import { PhoneTools, TwilioPhone } from "effect-realtime/Telephony"
 *
 * const agent = Agent.make("Receptionist", { instructions: "Answer the phone.", tools: [PhoneTools.hangUp()] })
 *
 * const phone = TwilioPhone.layer({
 *   authToken: Redacted.make(process.env["TWILIO_AUTH_TOKEN"] ?? ""),
 *   publicUrl: "https://phone.example.com",
 *   call: () => Effect.succeed({ agent })
 * })
 *
 * export const main = Layer.launch(phone).pipe(
 *   Effect.provide(NodeHttpServer.layer(() => createServer(), { port: 3000 })),
 *   Effect.provide(OpenAiRealtime.layerConfig()),
 *   NodeRuntime.runMain
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E, R, RC = never, RO = never, RE = never>(
  options: Options<E, R, RC, RO, RE>
): Layer.Layer<never, OptionsInvalid, HttpServer.HttpServer | RealtimeModel | Exclude<R, Current> | RC | RO | RE> =>
  Layer.scopedDiscard(Effect.flatMap(make(options), (phone) => serve(phone)))
