/**
 * A call through a gateway. It uses one socket at a time: a broken one is replaced for as long as the gateway keeps the
 * call, nothing is lost, and no command is carried out twice.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { bytesPerSecond, split } from "../audio/Format.js"
import { steadyClock } from "../common/steadyClock.js"
import { isResumable, type Opening, subprotocol, tokenProtocol, type Welcome } from "../gateway/Protocol.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import { Subscribers } from "../session/publishing/Subscribers.js"
import { defaultCapacity, maxBufferedBytes } from "./bounds.js"
import type { Client, CommandError, News, Options, Status } from "./Client.js"
import { CallEnded, CallLost, CommandFailed, CommandNotSent, ConnectFailed } from "./ClientError.js"
import { type Link, openLink, type Progress } from "./Link.js"
import { Outstanding, type Reply, type Request } from "./Outstanding.js"
import type { Closed, WebSocketConstructor } from "./Socket.js"
import type { Frame } from "./wire.js"

export { OptionsInvalid } from "../options/OptionsInvalid.js"
export type { Client, CommandError, News, Options, Status } from "./Client.js"
export type { Closed, WebSocketConstructor, WebSocketEvent, WebSocketInstance } from "./Socket.js"

/**
 * Tries again after about 250 ms, then after twice as long each time, but at least every two seconds.
 *
 * @since 0.1.0
 * @category options
 */
export const defaultReconnect: Schedule.Schedule<unknown> = Schedule.exponential("250 millis").pipe(
  Schedule.union(Schedule.spaced("2 seconds")),
  Schedule.jittered
)

/**
 * Begins a call. Fails if the gateway cannot be reached or does not accept this client. From then on, a broken socket is
 * replaced, and `status` tells.
 *
 * @example
 * ```ts
 * import { Effect, Redacted, Stream } from "effect"
 * import { GatewayClient } from "effect-realtime/gateway-client"
 *
 * export const greet = (token: string) =>
 *   Effect.gen(function* () {
 *     const client = yield* GatewayClient.connect({
 *       url: "ws://127.0.0.1:3000/call",
 *       token: Redacted.make(token),
 *       playback: "estimated"
 *     })
 *     yield* client.sendText("Hello!")
 *     yield* client.events.pipe(
 *       Stream.takeUntil((event) => event._tag === "ResponseDone"),
 *       Stream.runForEach((event) => Effect.log(event._tag))
 *     )
 *   }).pipe(Effect.scoped)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const connect = (options: Options): Effect.Effect<Client, ConnectFailed | OptionsInvalid, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Rule.validate("GatewayClient.connect", rules.gatewayClient, options)
    const { capacity = defaultCapacity, playback = "reported", turns, url } = options
    const webSocket: WebSocketConstructor | undefined = options.webSocket ?? globalThis.WebSocket
    if (webSocket === undefined) {
      const reason = "This platform has no WebSocket. Pass the class of the package `ws` as the option `webSocket`."
      return yield* new ConnectFailed({ url, code: 1006, reason })
    }
    const clock = steadyClock(yield* Effect.clock)
    const now = () => clock.unsafeCurrentTimeMillis()
    // Nobody sees it before the call has begun.
    const status = yield* SubscriptionRef.make<Status>({ _tag: "Connected" })
    const begun = yield* Deferred.make<Welcome, ConnectFailed>()
    const ended = yield* Deferred.make<void, CallEnded | CallLost>()
    const subscribers = new Subscribers<News>(capacity)
    const outstanding = new Outstanding()
    const progress: Progress = { received: 0 }
    let link: Link | undefined
    /** How many sockets the call has had. */
    let links = 0
    /** Audio of the user that was dropped since some was last sent. */
    let droppedBytes = 0
    let connected: Status = { _tag: "Connected" }

    const onFrame = (frame: Frame): Effect.Effect<void> => {
      switch (frame._tag) {
        case "Event":
        case "Audio":
          return Effect.sync(() => subscribers.publish(frame))
        case "Done":
        case "Failed":
          return Effect.sync(() => outstanding.answered(frame.id, frame))
        case "Draining":
          connected = frame
          return SubscriptionRef.set(status, connected)
        case "Ended": {
          const { message, reason } = frame
          const how = reason === "HungUp" ? Exit.void : Exit.fail(new CallEnded({ reason, message }))
          return Effect.asVoid(Deferred.done(ended, how))
        }
        case "Welcome":
        case "Pong":
          return Effect.void
      }
    }

    /** Uses one socket, until its end. */
    const useSocket = (opening: Opening): Effect.Effect<Closed> =>
      Effect.gen(function* () {
        const next = yield* openLink(webSocket, url, yield* protocolsOf(options), opening, progress)
        links += 1
        link = next
        for (const text of outstanding.again) next.send(text)
        yield* SubscriptionRef.set(status, connected)
        yield* Deferred.succeed(begun, next.welcome)
        return yield* next.run(onFrame)
      }).pipe(
        Effect.scoped,
        Effect.ensuring(
          Effect.sync(() => {
            link = undefined
          })
        ),
        Effect.flip
      )

    /** Resumes the call after its socket broke. Completes when that socket has broken as well, or when none can be had. */
    const resume = (broken: Closed, { callId, key, resumeWithinMs }: Welcome) =>
      Effect.gen(function* () {
        const schedule = yield* Schedule.driver(options.reconnect ?? defaultReconnect)
        const until = now() + resumeWithinMs
        const before = links
        let closed = broken
        for (let attempt = 1; links === before && isResumable(closed.code); attempt += 1) {
          yield* SubscriptionRef.set(status, { _tag: "Reconnecting", attempt, ...closed })
          const isDue = yield* Effect.isSuccess(schedule.next(closed))
          if (!isDue || now() > until) break
          closed = yield* useSocket({ _tag: "Resume", callId, key, received: progress.received })
        }
        return { closed, isLost: links === before }
      })

    const start: Opening = { _tag: "Start", playback, ...(turns === undefined ? {} : { turns }) }
    const useSockets = Effect.gen(function* () {
      let closed = yield* useSocket(start)
      if (links === 0) return yield* Deferred.fail(begun, new ConnectFailed({ url, ...closed }))
      const welcome = yield* Effect.orDie(Deferred.await(begun))
      for (let isLost = false; !isLost; ) ({ closed, isLost } = yield* resume(closed, welcome))
      return yield* Deferred.fail(ended, new CallLost(closed))
    })
    const finish = Effect.gen(function* () {
      const closed: Closed = { code: 1000, reason: "The client's scope has closed." }
      yield* Deferred.fail(begun, new ConnectFailed({ url, ...closed }))
      yield* Deferred.fail(ended, new CallLost(closed))
      outstanding.end()
      const error = Exit.match(yield* Effect.exit(Deferred.await(ended)), {
        onSuccess: () => undefined,
        onFailure: (cause) => Option.getOrUndefined(Cause.failureOption(cause))
      })
      yield* SubscriptionRef.set(status, { _tag: "Ended", error })
      subscribers.end()
    })
    const run = useSockets.pipe(
      Effect.raceFirst(Effect.exit(Deferred.await(ended))),
      // The effect of an option has died, such as `token`.
      Effect.onError((cause) =>
        Effect.zipRight(Deferred.failCause(begun, cause), Deferred.failCause(ended, cause)).pipe(
          Effect.unless(() => Cause.isInterruptedOnly(cause))
        )
      ),
      Effect.ensuring(finish)
    )

    yield* Effect.forkScoped(Effect.interruptible(run))
    const welcome = yield* Deferred.await(begun)
    // When the scope closes, this runs before the socket is closed.
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        const text = outstanding.add({ _tag: "HangUp" }, Number.POSITIVE_INFINITY, () => undefined)
        if (Either.isRight(text)) link?.send(text.right)
      })
    )

    const command = (request: Request): Effect.Effect<string | undefined, CommandError> =>
      Effect.gen(function* () {
        const refuse = (why: CommandNotSent["why"]) => new CommandNotSent({ command: request._tag, why })
        if (yield* Deferred.isDone(ended)) return yield* refuse("CallOver")
        const replied = yield* Deferred.make<Reply>()
        const settle = (reply: Reply) => Deferred.unsafeDone(replied, Exit.succeed(reply))
        const text = outstanding.add(request, welcome.maxMessageBytes, settle)
        if (Either.isLeft(text)) return yield* refuse(text.left)
        link?.send(text.right)
        const reply = yield* Deferred.await(replied)
        switch (reply._tag) {
          case "Done":
            return reply.itemId
          case "Failed":
            return yield* new CommandFailed({ command: request._tag, error: reply.error })
          case "Over":
            return yield* refuse("CallOver")
        }
      })
    const order = (request: Request) => Effect.asVoid(command(request))

    const missed = (count: number): ReadonlyArray<News> => [{ _tag: "Event", event: { _tag: "EventsMissed", count } }]
    const news = subscribers.subscribe<never>(capacity, { _tag: "Tell", missed })

    return {
      welcome,
      status,
      news,
      events: Stream.filterMap(news, (one) => (one._tag === "Event" ? Option.some(one.event) : Option.none())),
      audio: Stream.filterMap(news, (one) => (one._tag === "Audio" ? Option.some(one.chunk) : Option.none())),
      sendText: (text) => Effect.map(command({ _tag: "SendText", text }), (itemId) => itemId ?? ""),
      sendAudio: (bytes) =>
        Effect.sync(() => {
          if (link === undefined || link.bufferedBytes() > maxBufferedBytes) {
            droppedBytes += bytes.length
            return
          }
          if (droppedBytes > 0) {
            const seconds = droppedBytes / bytesPerSecond(welcome.input)
            subscribers.publish({ _tag: "Event", event: { _tag: "InputAudioDropped", seconds } })
            droppedBytes = 0
          }
          for (const piece of split(bytes, welcome.maxMessageBytes)) link.send(piece)
        }),
      commitAudio: order({ _tag: "CommitAudio" }),
      clearAudio: order({ _tag: "ClearAudio" }),
      setTurns: (turns) => order({ _tag: "SetTurns", turns }),
      requestResponse: order({ _tag: "RequestResponse" }),
      interrupt: order({ _tag: "Interrupt" }),
      approve: (callId, more = {}) => order({ _tag: "Approve", callId, ...more }),
      reject: (callId, reason, more = {}) =>
        order({ _tag: "Reject", callId, ...(reason === undefined ? {} : { reason }), ...more }),
      reportPlayback: (itemId, contentIndex, heardMs) =>
        Effect.sync(() => link?.send(outstanding.played({ _tag: "Played", itemId, contentIndex, heardMs }))),
      hangUp: order({ _tag: "HangUp" }),
      await: Deferred.await(ended)
    }
  })

/** A browser can send a token only as a subprotocol. */
const protocolsOf = ({ token }: Options): Effect.Effect<ReadonlyArray<string>> => {
  if (token === undefined) return Effect.succeed([subprotocol])
  const current = Effect.isEffect(token) ? token : Effect.succeed(token)
  return Effect.map(current, (value) => [subprotocol, tokenProtocol(Redacted.value(value))])
}
