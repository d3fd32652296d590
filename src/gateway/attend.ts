/**
 * Handles one socket from its upgrade until it closes: the first message, and then the call.
 */
import * as Socket from "@effect/platform/Socket"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { steadyClock } from "../common/steadyClock.js"
import { briefly, type Close } from "../serving/Close.js"
import { closeTimeout, guarded, hangUp, type Peer } from "../serving/Peer.js"
import type { Calls } from "./Calls.js"
import { Incoming } from "./Incoming.js"
import { type Link, type LiveCall, write } from "./LiveCall.js"
import type { Limits } from "./Options.js"
import type { Frame } from "./Outbox.js"
import { closeCodes, type Opening } from "./Protocol.js"

const pong = write({ _tag: "Pong" })

const silent = (reason: string): Close => ({ code: closeCodes.silent, reason })

/**
 * Completes when the socket closes. The call continues and waits to be resumed, unless the client hung up.
 *
 * @param opened runs when the client has sent its first message, or failed to
 */
export const attend = <I>(
  bare: Socket.Socket,
  peer: Peer,
  identity: I,
  calls: Calls<I>,
  limits: Limits,
  opened: Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const clock = steadyClock(yield* Effect.clock)
    const now = () => clock.unsafeCurrentTimeMillis()
    const socket = guarded(bare, peer, {
      maxBufferedBytes: 2 * limits.maxUnacknowledgedBytes,
      maxMessageBytes: limits.maxMessageBytes
    })
    const writer = yield* socket.writer
    // When a socket can no longer be written to, the reading ends, and so does this effect.
    const send = (data: Frame | Socket.CloseEvent) => Effect.ignore(writer(data))
    const opening = yield* Deferred.make<Opening>()
    /** Completes when the gateway closes the socket. */
    const closing = yield* Deferred.make<Close>()
    const close = (end: Close): void => Deferred.unsafeDone(closing, Effect.succeed(end))
    const due = yield* Effect.makeLatch()
    let owesPong = false

    const incoming = new Incoming(
      limits,
      {
        onOpening: (message) => Deferred.unsafeDone(opening, Effect.succeed(message)),
        onPing: () => {
          owesPong = true
          due.unsafeOpen()
        }
      },
      now()
    )
    const reading = socket
      .runRaw((data) => {
        const wrong = incoming.take(data, now())
        if (wrong !== undefined) close(wrong)
      })
      // If the client has already gone, the platform never finishes the handshake. Do not wait for it.
      .pipe(Effect.ignore, Effect.disconnect)

    /** Sends the frames of the call as fast as the client acknowledges them. Completes when the call ends. */
    const pump = (call: LiveCall, link: Link) =>
      Effect.gen(function* () {
        for (;;) {
          yield* due.close
          if (owesPong) {
            owesPong = false
            yield* send(pong)
          }
          const frame = call.take(link)
          if (frame !== undefined) {
            yield* send(frame)
            yield* due.open
          } else if (call.isOver()) {
            return { code: closeCodes.ended, reason: "The call has ended." }
          }
          yield* due.await
        }
      })

    /** Ends when the client has been silent for too long. */
    const silence: Effect.Effect<Close> = Effect.suspend(() => {
      const left = incoming.heardAt + limits.silenceTimeout - now()
      return left <= 0 ? Effect.succeed(silent("Send a Ping from time to time.")) : Effect.delay(silence, left)
    })

    const inCall = (call: LiveCall, received: number): Effect.Effect<Close, never, Scope.Scope> =>
      Effect.gen(function* () {
        const link: Link = { wake: () => due.unsafeOpen(), close }
        yield* Effect.acquireRelease(call.attach(link, received), () => call.detach(link))
        yield* send(write(call.welcome()))
        incoming.begin((input) => call.receive(link, input))
        return yield* Effect.raceFirst(pump(call, link), silence)
      })

    const conversing = Effect.gen(function* () {
      const message = yield* Deferred.await(opening).pipe(
        Effect.timeoutFail({
          duration: limits.openingTimeout,
          onTimeout: () => silent("The first message must be Start or Resume.")
        }),
        Effect.ensuring(opened)
      )
      const call = yield* message._tag === "Start" ? calls.start(identity, message) : calls.resume(identity, message)
      return yield* Effect.scoped(inCall(call, message._tag === "Start" ? 0 : message.received))
    }).pipe(
      Effect.merge,
      Effect.raceFirst(Deferred.await(closing)),
      Effect.flatMap(({ code, reason }) => send(new Socket.CloseEvent(code, briefly(reason)))),
      Effect.zipRight(Effect.sleep(closeTimeout))
    )

    yield* Effect.raceFirst(reading, conversing)
  }).pipe(Effect.scoped, Effect.ensuring(hangUp(peer)))
