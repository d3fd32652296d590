/**
 * Detects that a peer has gone silent. TCP alone does not: if the other end vanishes, a connection looks open as long
 * as nobody writes, and for minutes if somebody does.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { steadyClock } from "../common/steadyClock.js"

export interface Heartbeat {
  /** A sign of life: something came from the peer. */
  readonly beat: () => void
  /** Pings the peer, and ends when it was silent for too long. Returns the length of the silence, in milliseconds. */
  readonly watch: (peer: Watched) => Effect.Effect<number>
}

export interface Watched {
  /** Asks for a sign of life. Returns `false` if the peer cannot be asked: then it is not watched. */
  readonly ping: () => boolean
  /** Whether this side is reading. The peer is not blamed for what this side does not read. */
  readonly listening: () => boolean
}

export interface HeartbeatOptions {
  /** Time between two pings. If it is infinite or 0, the watch never ends. */
  readonly interval: Duration.Duration
  /** How long the peer may be silent. At least two pings are sent in this time. */
  readonly timeout: Duration.Duration
}

export const make = (options: HeartbeatOptions): Effect.Effect<Heartbeat> =>
  Effect.map(Effect.clock, (clock) => {
    const timeoutMs = Math.ceil(Duration.toMillis(options.timeout))
    const intervalMs = Math.ceil(Math.min(Duration.toMillis(options.interval), timeoutMs / 2))
    const pings = Number.isFinite(Duration.toMillis(options.interval)) && intervalMs > 0
    const steady = steadyClock(clock)
    const now = () => steady.unsafeCurrentTimeMillis()
    let heardAt = now()

    const watch = ({ listening, ping }: Watched): Effect.Effect<number> =>
      Effect.gen(function* () {
        let at = now()
        let pingAt = at + intervalMs
        heardAt = at
        while (true) {
          const due = Math.min(pingAt, heardAt + timeoutMs)
          const toPing = due === pingAt
          yield* clock.sleep(Duration.millis(due - at))
          at = now()
          // While this process was busy or suspended, it could not receive anything from the peer.
          const lateMs = Math.max(0, at - due)
          heardAt = listening() ? Math.min(at, heardAt + lateMs) : at
          if (at - heardAt >= timeoutMs) return at - heardAt
          if (toPing && !ping()) return yield* Effect.never
          pingAt = toPing ? at + intervalMs : Math.min(pingAt, at + intervalMs)
        }
      })

    return {
      beat: () => {
        heardAt = now()
      },
      watch: (peer) => (pings ? watch(peer) : Effect.never)
    }
  })
