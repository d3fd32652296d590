/** Calls over SIP: a webhook announces them, this answers them, and a session stands beside each. */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { atTheEnd } from "../common/atTheEnd.js"
import { forgetOldest } from "../common/forgetOldest.js"
import { quietlyWithin } from "../common/quietly.js"
import { readRequest } from "../common/readBody.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import { logFailedCall } from "../session/telemetry/logFailedCall.js"
import { type CallsError, CallsUnreachable, RequestInvalid, RequestRefused } from "./CallsError.js"
import { type Decision, decline } from "./Decision.js"
import { type CallSession, OpenAiCalls } from "./OpenAiCalls.js"
import { type IncomingCall, keysOf, type Secrets, verifyWith, type Webhook, WebhookRejected } from "./Webhook.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface SipOptions<E, R, ED, RD, RM, RE> {
  /** The secret of the webhook, `whsec_…`. Give two while one replaces the other. */
  readonly secret: Secrets
  /**
   * Decides on each call, once. If it fails, dies or takes longer than `decideWithin`, the call is declined, and `onEnd`
   * gets why. What it reads in the headers comes from the caller's side.
   */
  readonly decide: (call: IncomingCall) => Effect.Effect<Decision<E, R>, ED, RD>
  /**
   * The model beside a call, such as `(callId) => OpenAiRealtime.make({ apiKey, callId })`. It is made before the call is
   * accepted, and connects after that. If it cannot be made, the call is declined.
   */
  readonly beside: (callId: string) => Effect.Effect<Context.Tag.Service<RealtimeModel>, OptionsInvalid, RM>
  /**
   * Called when a call is over: with a failure or a defect if it could not be decided on or answered, or did not end by
   * itself, and interrupted if the scope was closed, which waits for this for 10 seconds. What your code failed with is
   * nowhere else: the log has only its tag.
   */
  readonly onEnd?:
    | ((call: IncomingCall, exit: Exit.Exit<void, CallFailure<E | ED>>) => Effect.Effect<void, never, RE>)
    | undefined
  /** Default: 10 seconds. */
  readonly decideWithin?: Duration.DurationInput | undefined
  /**
   * How many calls may be decided on or answered at a time. Others are told that the line is busy (486), and do not count.
   * Default: 100.
   */
  readonly maxCalls?: number | undefined
}

/**
 * Why a call failed: it was not decided on (`TimeoutException`: not in time), was gone or refused before it was answered,
 * or its session failed, or what it was begun with, or it could not be hung up.
 *
 * @since 0.1.0
 * @category errors
 */
export type CallFailure<E> = CallsError | OptionsInvalid | Cause.TimeoutException | E

/**
 * @since 0.1.0
 * @category models
 */
export interface Sip {
  /** Takes the webhooks: mount it at the path that the webhook was registered with, at any server of `@effect/platform`. */
  readonly app: HttpApp.Default
  /** How many calls are decided on or answered. */
  readonly calls: Effect.Effect<number>
}

/**
 * The default limits.
 *
 * @since 0.1.0
 * @category options
 */
export const sipDefaults = { decideWithin: "10 seconds", maxCalls: 100 } as const

/** How many webhooks and calls are remembered, so that none is taken twice. */
export const maxRemembered = 10_000

/** An incoming call has some kilobytes of headers at most. In bytes. */
export const maxWebhookBytes = 64 * 1024

/** Of SIP: "Busy Here". */
const busy = 486

/** A decision, with all that the call needs. `Undecided`: there is none, and the call is declined. */
type Decided<E, R> =
  | { readonly _tag: "Undecided"; readonly cause: Cause.Cause<CallFailure<E>> }
  | Extract<Decision, { readonly _tag: "Decline" }>
  | { readonly _tag: "Answer"; readonly session: CallSession; readonly talk: Effect.Effect<void, E, R> }

const tooLong = HttpServerResponse.text("The body could not be read, or is too long.", {
  status: 413,
  headers: { connection: "close" }
})

/** Whom the service sends it to next may take it. */
const closing = HttpServerResponse.text("No more calls are taken here. Send it again.", {
  status: 503,
  headers: { connection: "close" }
})

/** What was seen lately, within a bound. */
const remembering = () => {
  const seen = new Set<string>()
  return (...names: ReadonlyArray<string>): boolean => {
    const isNew = names.every((name) => !seen.has(name))
    for (const name of names) seen.add(name)
    forgetOldest(seen, maxRemembered)
    return isNew
  }
}

/**
 * Answers calls over SIP. Each webhook is checked, answered at once, and taken once, however often it is delivered; the
 * call is accepted beside that, and a session stands beside it until it ends. When the scope closes, all calls are hung
 * up, and webhooks are answered with 503, so that they are sent again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sip = <E, R, ED, RD, RM, RE = never>(
  options: SipOptions<E, R, ED, RD, RM, RE>
): Effect.Effect<Sip, OptionsInvalid, OpenAiCalls | Scope.Scope | R | RD | RM | RE> =>
  Effect.gen(function* () {
    yield* Rule.validate("Calls.sip", rules.sip, options)
    const keys = yield* keysOf("Calls.sip", options.secret)
    const calls = yield* OpenAiCalls
    const maxCalls = options.maxCalls ?? sipDefaults.maxCalls
    const decideWithin = Duration.decode(options.decideWithin ?? sipDefaults.decideWithin)
    const run = yield* FiberSet.makeRuntime<R | RD | RM | RE, void>()
    const isNew = remembering()
    /** Those that are decided on or answered. Who is turned away has no place. */
    const present = new Set<IncomingCall>()
    const leave = (call: IncomingCall) => Effect.sync(() => void present.delete(call))
    let isClosing = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        isClosing = true
      })
    )

    /** A call that is not hung up goes on and costs money, so a failure of this is one of the call. */
    const hangUp = (callId: string) => Effect.catchTag(calls.hangUp(callId), "CallGone", () => Effect.void)

    // Nobody must sit on a line that nobody listens to.
    const accepted = (callId: string, session: CallSession) =>
      Effect.catchAll(calls.accept(callId, session), (error) =>
        mayBeDone(error) ? afterwards(Exit.fail(error), hangUp(callId)) : Effect.fail(error)
      )

    // Nobody must hear a line ring that was declined.
    const rejected = (callId: string, statusCode: number | undefined) =>
      Effect.tapError(calls.reject(callId, statusCode), (error) =>
        error._tag === "RequestInvalid" ? calls.reject(callId) : Effect.void
      )

    // The webhook was answered long ago: without a line, nobody would know.
    const log = (call: IncomingCall, cause: Cause.Cause<unknown>, what?: string) =>
      logFailedCall(call.callId, cause, { isOwn, hook: "onEnd", what })

    const declined = (call: IncomingCall, statusCode: number | undefined) =>
      Effect.zipRight(leave(call), rejected(call.callId, statusCode)).pipe(Effect.onError((cause) => log(call, cause)))

    const carryOut = (call: IncomingCall, decided: Decided<E | ED, R>): Effect.Effect<void, CallFailure<E | ED>, R> => {
      switch (decided._tag) {
        case "Undecided":
          return afterwards(Exit.failCause(decided.cause), declined(call, undefined))
        case "Decline":
          return declined(call, decided.statusCode)
        case "Answer":
          return Effect.uninterruptibleMask((restore) =>
            accepted(call.callId, decided.session).pipe(
              Effect.zipRight(Effect.exit(restore(decided.talk))),
              Effect.flatMap((exit) => afterwards(exit, hangUp(call.callId)))
            )
          ).pipe(Effect.onError((cause) => log(call, cause)))
      }
    }

    const undecided = (call: IncomingCall, cause: Cause.Cause<CallFailure<E | ED>>, because: string) =>
      Effect.as(log(call, cause, `A call is declined, because ${because}.`), { _tag: "Undecided", cause } as const)

    // What cannot be used is found before anybody is picked up.
    const ready = ({ callId }: IncomingCall, decision: Decision<E, R>) =>
      Effect.gen(function* () {
        if (decision._tag === "Decline") return decision
        const { _tag, session, talk } = decision
        return { _tag, session: yield* session, talk: talk(yield* options.beside(callId)) }
      })

    const decided = (call: IncomingCall): Effect.Effect<Decided<E | ED, R>, never, R | RD | RM> =>
      !present.has(call)
        ? Effect.succeed(decline(busy))
        : quietlyWithin(
            Effect.flatMap(
              Effect.suspend(() => options.decide(call)),
              (decision) =>
                Effect.catchAllCause(ready(call, decision), (cause) =>
                  undecided(call, cause, "its session could not be prepared")
                )
            ),
            { duration: decideWithin, onTimeout: () => tooLate }
          ).pipe(Effect.catchAllCause((cause) => undecided(call, cause, `\`decide\` ${howOf(cause)}`)))

    const tell = (call: IncomingCall, exit: Exit.Exit<void, CallFailure<E | ED>>): Effect.Effect<void, never, RE> =>
      atTheEnd(
        call.callId,
        Effect.suspend(() => options.onEnd?.(call, exit) ?? Effect.void)
      )

    const take = (call: IncomingCall): Effect.Effect<void, never, R | RD | RM | RE> =>
      Effect.interruptible(Effect.flatMap(decided(call), (decision) => carryOut(call, decision))).pipe(
        Effect.exit,
        Effect.zipLeft(leave(call)),
        Effect.flatMap((exit) => tell(call, exit)),
        // A call that is interrupted has an end, too.
        Effect.uninterruptible
      )

    const handle = (webhook: Webhook): HttpServerResponse.HttpServerResponse => {
      if (webhook._tag === "IncomingCall" && isNew(`webhook ${webhook.id}`, `call ${webhook.callId}`)) {
        if (present.size < maxCalls) present.add(webhook)
        run(take(webhook))
      }
      return HttpServerResponse.empty({ status: 200 })
    }

    const app: HttpApp.Default = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      if (isClosing) return closing
      if (request.method !== "POST") return HttpServerResponse.text("Send a POST.", { status: 405 })
      const body = yield* readRequest(request, maxWebhookBytes)
      if (body === undefined) return tooLong
      const webhook = yield* verifyWith({ headers: request.headers, body }, keys)
      return isClosing ? closing : handle(webhook)
    }).pipe(
      Effect.catchAll((error) =>
        error instanceof WebhookRejected
          ? Effect.as(
              // Anybody can send what is not signed. A signature that does not fit is more often a wrong secret or clock.
              error.reason === "Unsigned"
                ? Effect.logDebug(error.message)
                : Effect.logWarning("A webhook was refused.", error.message),
              // The service would send again, for days, what is signed and can never be understood.
              error.reason === "Malformed"
                ? HttpServerResponse.empty({ status: 200 })
                : HttpServerResponse.text(error.message, { status: 401 })
            )
          : Effect.succeed(tooLong)
      )
    )
    return { app, calls: Effect.sync(() => present.size) }
  })

/** What is done at the end, whatever was before. If both fail, so does the whole, with both. */
const afterwards = <A, E, E2>(before: Exit.Exit<A, E>, last: Effect.Effect<void, E2>): Effect.Effect<A, E | E2> =>
  Effect.matchCauseEffect(last, {
    onFailure: (cause) =>
      Exit.isFailure(before) ? Effect.failCause(Cause.sequential(before.cause, cause)) : Effect.failCause(cause),
    onSuccess: () => before
  })

/** Whether the service may have accepted the call nevertheless: a proxy before it may give up, and it goes on. */
const mayBeDone = (error: CallsError): boolean =>
  (error._tag === "CallsUnreachable" && error.mayBeDone) || (error._tag === "RequestRefused" && error.status >= 500)

const isCallsError = Schema.is(Schema.Union(RequestInvalid, RequestRefused, CallsUnreachable))

const isOwn = (error: unknown): error is Error => error === tooLate || isCallsError(error)

const tooLate = new Cause.TimeoutException(
  "`decide`, with the instructions of its agent, took longer than `decideWithin`: make it faster, or give it more time."
)

const howOf = (cause: Cause.Cause<unknown>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => (Cause.isInterruptedOnly(cause) ? "was interrupted" : "died"),
    onSome: (error) => (error === tooLate ? "took too long" : "failed")
  })
