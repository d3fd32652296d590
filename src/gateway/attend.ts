/**
 * One socket, from its upgrade to its end: the opening, and then the call that it is for.
 */
import * as Socket from "@effect/platform/Socket"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { steadyClock } from "../time/steadyClock.js"
import type { Calls } from "./Calls.js"
import { briefly, type Close } from "./Close.js"
import { Incoming } from "./Incoming.js"
import { type Link, type LiveCall, write } from "./LiveCall.js"
import type { Limits } from "./Options.js"
import type { Frame } from "./Outbox.js"
import type { Peer } from "./Peer.js"
import { closeCodes, type Opening } from "./Protocol.js"

const pong = write({ _tag: "Pong" })

/** How long a peer may take to answer a CLOSE frame before it is cut off. */
const closeTimeout = "1 second"

const silent = (reason: string): Close => ({ code: closeCodes.silent, reason })

/**
 * Ends with the socket. Its call goes on, and waits to be resumed, unless the client hung up.
 *
 * @param opened is run when the client has said what it wants
 */
export const attend = <I>(
  socket: Socket.Socket,
  peer: Peer,
  identity: I,
  calls: Calls<I>,
  limits: Limits,
  opened: Effect.Effect<void>
): Effect.Effect<void> =>
  Effect.gen(function* () {
    const clock = steadyClock(yield* Effect.clock)
    const now = () => clock.unsafeCurrentTimeMillis()
    const writer = yield* socket.writer
    // A socket that takes nothing any more ends the reading, and this with it.
    const send = (data: Frame | Socket.CloseEvent) => Effect.ignore(writer(data))
    const opening = yield* Deferred.make<Opening>()
    /** What ends the socket from this side. */
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
    let messageEnded = (): void => undefined
    const reading = socket
      .runRaw(
        (data) => {
          messageEnded()
          const wrong = incoming.take(data, now())
          if (wrong !== undefined) close(wrong)
        },
        {
          onOpen: Effect.sync(() => {
            messageEnded = peer.watch(limits.maxMessageBytes)
          })
        }
      )
      // Where the client has gone already, the platform never ends the handshake: it is not waited for.
      .pipe(Effect.ignore, Effect.disconnect)

    /** Sends what the call has, as far as the client keeps up. Ends with the call. */
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
            if (peer.bufferedBytes() > 2 * limits.maxUnacknowledgedBytes) peer.destroy()
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
          onTimeout: () => silent("The first message is Start or Resume.")
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

/** Gives the peer a moment to answer the CLOSE frame, and then cuts it off. */
const hangUp = (peer: Peer): Effect.Effect<void> =>
  peer.gone.pipe(Effect.interruptible, Effect.timeoutOption(closeTimeout), Effect.zipRight(Effect.sync(peer.destroy)))
