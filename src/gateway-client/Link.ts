/**
 * One socket of a call, from its handshake to its end: it acknowledges what arrives, and notices when the gateway has gone.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { steadyClock } from "../common/steadyClock.js"
import { closeCodes, type Opening, type Welcome } from "../gateway/Protocol.js"
import { type Closed, open, type WebSocketConstructor } from "./Socket.js"
import { decode, type Frame, writeMessage, writeOpening } from "./wire.js"

/** The number of the last frame that has arrived, over all sockets of a call. */
export interface Progress {
  received: number
}

export interface Link {
  readonly welcome: Welcome
  /** Does nothing if the socket is not open. */
  readonly send: (data: string | Uint8Array) => void
  /** The number of bytes that wait for the network. */
  readonly bufferedBytes: () => number
  /** Passes on every frame, in order. Fails with the end of the socket. */
  readonly run: (onFrame: (frame: Frame) => Effect.Effect<void>) => Effect.Effect<never, Closed>
}

/** Acknowledge at least this often, in bytes: a gateway has at least twice as many unacknowledged before it waits. */
const acknowledgeBytes = 32_768
/** How often the rest is acknowledged. */
const tick = "100 millis"
/** How long a gateway may take to admit a client, or to answer a Ping. */
const answerWithinMs = 10_000

const ping = writeMessage({ _tag: "Ping" })
const noAnswer: Closed = { code: 1006, reason: "The gateway does not answer." }

/**
 * Connects, and begins or resumes a call. The socket is closed with the scope.
 *
 * @param progress is advanced for each frame
 */
export const openLink = (
  Constructor: WebSocketConstructor,
  url: string,
  protocols: ReadonlyArray<string>,
  opening: Opening,
  progress: Progress
): Effect.Effect<Link, Closed, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = steadyClock(yield* Effect.clock)
    const now = () => clock.unsafeCurrentTimeMillis()
    const socket = yield* open(Constructor, url, protocols, ({ send }) => send(writeOpening(opening)))
    const first = yield* socket.frames.take.pipe(
      Effect.catchTag("NoSuchElementException", () => Effect.fail(noAnswer)),
      Effect.timeoutFail({ duration: answerWithinMs, onTimeout: () => noAnswer })
    )
    const welcome = decode(first)
    if (welcome?._tag !== "Welcome") {
      return yield* Effect.fail<Closed>({ code: closeCodes.malformed, reason: "This is not a gateway." })
    }
    progress.received = welcome.next - 1
    let acknowledged = progress.received
    let unacknowledgedBytes = 0
    let heardAt = now()
    let sentAt = now()

    const send = (data: string | Uint8Array): void => {
      sentAt = now()
      socket.send(data)
    }
    const acknowledge = (): void => {
      acknowledged = progress.received
      unacknowledgedBytes = 0
      send(writeMessage({ _tag: "Ack", received: acknowledged }))
    }

    const read = (onFrame: (frame: Frame) => Effect.Effect<void>): Effect.Effect<never, Closed> =>
      Effect.gen(function* () {
        for (;;) {
          const [frames] = yield* socket.frames.takeAll
          heardAt = now()
          for (const data of frames) {
            const frame = decode(data)
            if (frame?._tag === "Pong") continue
            // Unknown frames have a number, too.
            progress.received += 1
            unacknowledgedBytes += data.length
            if (unacknowledgedBytes >= acknowledgeBytes) acknowledge()
            if (frame !== undefined) yield* onFrame(frame)
          }
        }
      })

    /** Acknowledges what has arrived, and sends a Ping when either side has been silent. */
    const tend: Effect.Effect<never, Closed> = Effect.gen(function* () {
      let askedAt: number | undefined
      for (;;) {
        yield* Effect.sleep(tick)
        if (progress.received > acknowledged) acknowledge()
        if (askedAt !== undefined && heardAt >= askedAt) askedAt = undefined
        if (askedAt !== undefined && now() - askedAt > answerWithinMs) return yield* Effect.fail(noAnswer)
        if (askedAt === undefined && now() - Math.min(heardAt, sentAt) > welcome.silenceMs / 3) {
          askedAt = now()
          send(ping)
        }
      }
    })

    return {
      welcome,
      send,
      bufferedBytes: socket.bufferedBytes,
      run: (onFrame) => Effect.raceFirst(read(onFrame), tend)
    }
  })
