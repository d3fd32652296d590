/**
 * One connection, from its handshake to its end: socket callbacks → codec → incoming frames, and events → socket.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { type DecodeOptions, decodeServerFrame, encodeClientEvent } from "../protocol/Codec.js"
import { excerptOf } from "../protocol/Violation.js"
import type { ConnectError, Connection, Frame } from "../RealtimeModel.js"
import { ConnectFailed, ConnectionLost, ConnectTimedOut, HandshakeRefused, Incoming } from "../RealtimeModel.js"
import type { Dialect, Step } from "../realtimeModel/Dialect.js"
import * as Diagnosis from "./Diagnosis.js"
import type { Endpoint } from "./Endpoint.js"
import * as Heartbeat from "./Heartbeat.js"
import { retryAfter } from "./retryAfter.js"
import type { Failure, Handlers, Refusal, WebSocket, WebSocketFactory } from "./WebSocket.js"

export interface Limits {
  readonly openTimeout: Duration.Duration
  readonly closeTimeout: Duration.Duration
  readonly pingInterval: Duration.Duration
  readonly pingTimeout: Duration.Duration
  readonly maxFrameLength: number
  readonly maxMessageBytes: number
  readonly maxQueuedFrames: number
  readonly maxQueuedBytes: number
  readonly maxBufferedBytes: number
}

/** The outcome of a handshake. */
type Outcome = "open" | "refused"

type State =
  | { readonly _tag: "Idle" }
  | {
      readonly _tag: "Connecting"
      readonly settle: (outcome: Effect.Effect<Outcome, ConnectError>) => void
    }
  /** The body of the refusal has not arrived completely, or enough of it has. */
  | { readonly _tag: "Refused"; readonly refusal: Refusal; text: string }
  | { readonly _tag: "Open"; readonly socket: WebSocket }
  | { readonly _tag: "Closing"; readonly closed: () => void }
  | { readonly _tag: "Closed"; readonly error: ConnectionLost }

/** How much of a refusal's body an error has, in characters. */
const maxRefusalLength = 2000

/** Reading stops here, in characters. This is more than an error has, because secrets are redacted before it is cut. */
const maxRefusalText = 8192

/** The status alone says what to do, so the wait for the body is short. */
const refusalTimeout = Duration.seconds(1)

/** The code for a peer that went away without a CLOSE frame (RFC 6455, section 7.1.5). */
const abnormalClosure = 1006

/** A dialect that throws must not end the process, whose socket calls it, or the session. */
const readWith = (dialect: Dialect, text: string, options: DecodeOptions): Step => {
  try {
    return dialect.read(text, options)
  } catch {
    const message = "The frame could not be read."
    const violation = { type: undefined, path: undefined, message, excerpt: excerptOf(text) }
    return { send: [], frames: [{ _tag: "Malformed", violation }] }
  }
}

const writeWith = (dialect: Dialect, event: ClientEvent): Step => {
  try {
    return dialect.write(event)
  } catch {
    const { event_id, type } = event
    const message = `The event ${type} could not be written: its values nest too deeply, or are none of JSON.`
    const error = { type: "invalid_request_error", code: "invalid_value", message }
    const refused = event_id === undefined ? error : { ...error, event_id }
    return { send: [], frames: [{ _tag: "Known", event: { type: "error", error: refused } }] }
  }
}

/**
 * Opens a connection that lives as long as the scope. Interrupting the attempt drops its socket at once. `dialect`: of
 * this connection, if the server does not speak exactly OpenAI's.
 */
export const open = (
  factory: WebSocketFactory,
  endpoint: Endpoint,
  limits: Limits,
  dialect?: Dialect
): Effect.Effect<Connection, ConnectError, Scope.Scope> =>
  Effect.gen(function* () {
    let socket: WebSocket | undefined
    let state: State = { _tag: "Idle" }
    const refusalEnded = yield* Deferred.make<void>()

    const heartbeat = yield* Heartbeat.make({ interval: limits.pingInterval, timeout: limits.pingTimeout })
    const frames = new Incoming<Frame, ConnectionLost>({
      capacity: limits.maxQueuedFrames,
      maxSize: limits.maxQueuedBytes,
      source: {
        pause: () => socket?.pause() ?? false,
        resume: () => {
          heartbeat.beat()
          socket?.resume()
        }
      }
    })

    const connectFailed = (failure: Failure) =>
      new ConnectFailed({
        url: endpoint.shownUrl,
        message: Diagnosis.failed({ ...failure, message: endpoint.redact(failure.message) }, new URL(endpoint.url).host)
      })

    const settle = (error: ConnectError) => {
      if (state._tag === "Connecting") state.settle(Effect.fail(error))
    }

    const lose = (error: ConnectionLost) => {
      state = { _tag: "Closed", error }
      frames.fail(error)
    }

    /** Gives up on an open connection that exceeds its limits. */
    const abandon = (open: WebSocket, message: string): ConnectionLost => {
      const error = new ConnectionLost({
        code: abnormalClosure,
        reason: "",
        message
      })
      lose(error)
      open.terminate()
      return error
    }

    /** `size`: of the message that a frame came in. */
    const offer = (open: WebSocket, frame: Frame, size: number): void => {
      if (frames.offer(frame, size)) return
      abandon(
        open,
        `More than ${2 * limits.maxQueuedFrames} frames or ${2 * limits.maxQueuedBytes} bytes wait for their reader, and this platform cannot pause a WebSocket. Take frames faster, or raise \`maxQueuedFrames\` or \`maxQueuedBytes\`.`
      )
    }

    const carryOut = (open: WebSocket, { end, frames: those, send }: Step, size: number): void => {
      for (const text of send) open.send(text)
      for (const frame of those) if (state._tag === "Open") offer(open, frame, size)
      if (end === undefined || state._tag !== "Open") return
      lose(new ConnectionLost(end))
      open.close(1000, "")
    }

    const write = (open: WebSocket, event: ClientEvent): boolean => {
      if (dialect === undefined) return open.send(encodeClientEvent(event))
      if (!open.isOpen()) return false
      carryOut(open, writeWith(dialect, event), 0)
      return true
    }

    const handlers: Handlers = {
      onOpen: () => {
        if (state._tag !== "Connecting" || socket === undefined) return
        const { settle } = state
        state = { _tag: "Open", socket }
        settle(Effect.succeed("open"))
      },
      onAlive: heartbeat.beat,
      onText: (text) => {
        heartbeat.beat()
        if (state._tag !== "Open") return
        const shown = endpoint.redactFrame(text)
        const options = { maxFrameLength: limits.maxFrameLength }
        if (dialect === undefined) offer(state.socket, decodeServerFrame(shown, options), text.length)
        else carryOut(state.socket, readWith(dialect, shown, options), text.length)
      },
      onClose: (code, text) => {
        const said = { code, reason: endpoint.redact(text) }
        const meant = dialect?.closed?.(said.code, said.reason) ?? said
        const error = new ConnectionLost({ ...meant, message: Diagnosis.lost(said.code, said.reason) })
        if (state._tag === "Open") lose(error)
        else if (state._tag === "Closing") state.closed()
      },
      onRefused: (refusal) => {
        if (state._tag !== "Connecting") return
        const { settle } = state
        state = { _tag: "Refused", refusal, text: "" }
        settle(Effect.succeed("refused"))
      },
      onRefusalText: (text) => {
        if (state._tag !== "Refused") return
        state.text = (state.text + text).slice(0, maxRefusalText)
        if (state.text.length >= maxRefusalText) Deferred.unsafeDone(refusalEnded, Effect.void)
      },
      onRefusalEnd: () => Deferred.unsafeDone(refusalEnded, Effect.void),
      onError: (failure) => settle(connectFailed(failure))
    }

    const refused = Effect.gen(function* () {
      yield* Effect.timeoutOption(Deferred.await(refusalEnded), refusalTimeout)
      if (state._tag !== "Refused") return
      const { refusal, text } = state
      const { status } = refusal
      const body = endpoint.redact(text).slice(0, maxRefusalLength)
      const retryAfterMs = retryAfter(refusal, yield* Clock.currentTimeMillis)
      return yield* new HandshakeRefused({
        status,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        url: endpoint.shownUrl,
        body,
        message: refusal.advice(body)
      })
    })

    const handshake = Effect.async<Outcome, ConnectError>((settle) => {
      state = { _tag: "Connecting", settle }
      try {
        socket = factory.open(
          {
            url: endpoint.url,
            protocols: endpoint.protocols,
            headers: endpoint.headers,
            maxMessageBytes: limits.maxMessageBytes,
            closeTimeoutMs: Duration.toMillis(limits.closeTimeout)
          },
          handlers
        )
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause)
        settle(Effect.fail(connectFailed({ message })))
      }
    }).pipe(
      Effect.timeoutFail({
        duration: limits.openTimeout,
        onTimeout: () =>
          new ConnectTimedOut({
            url: endpoint.shownUrl,
            afterMs: Duration.toMillis(limits.openTimeout),
            message: `The connection was not open after ${Duration.format(limits.openTimeout)}. Check the URL and the network, or raise \`openTimeout\`.`
          })
      }),
      Effect.flatMap((outcome) => (outcome === "open" ? Effect.void : refused))
    )

    const terminate = Effect.sync(() => socket?.terminate())

    // The peer may drop TCP without a CLOSE frame, or never answer ours, so this side does not wait long.
    const close = Effect.gen(function* () {
      frames.end()
      if (state._tag === "Open") {
        const { socket } = state
        yield* Effect.async<void>((resume) => {
          state = { _tag: "Closing", closed: () => resume(Effect.void) }
          // A paused socket would never read the peer's answer.
          socket.resume()
          socket.close(1000, "")
        }).pipe(Effect.interruptible, Effect.timeoutOption(limits.closeTimeout))
        state = {
          _tag: "Closed",
          error: new ConnectionLost({
            code: 1000,
            reason: "",
            message: "This side has closed the connection. Send before its scope closes, or connect again."
          })
        }
      }
      yield* terminate
    })

    yield* Effect.uninterruptibleMask((restore) =>
      restore(handshake).pipe(
        Effect.onError(() => terminate),
        Effect.zipRight(Effect.addFinalizer(() => close))
      )
    )

    const watch = heartbeat.watch({
      ping: () => state._tag === "Open" && state.socket.ping(),
      listening: () => !frames.isPaused
    })
    yield* Effect.forkScoped(
      Effect.map(watch, (silentMs) => {
        if (state._tag === "Open") abandon(state.socket, Diagnosis.silent(silentMs))
      })
    )

    return {
      frames,
      send: (event) =>
        Effect.suspend(() => {
          if (state._tag === "Closed") return Effect.fail(state.error)
          if (state._tag === "Open") {
            if (state.socket.bufferedAmount() > limits.maxBufferedBytes) {
              return Effect.fail(
                abandon(
                  state.socket,
                  `More than ${limits.maxBufferedBytes} bytes wait for the network: the server has stopped reading. Connect again, or raise \`maxBufferedBytes\`.`
                )
              )
            }
            if (write(state.socket, event)) return Effect.void
          }
          return Effect.fail(
            new ConnectionLost({
              code: abnormalClosure,
              reason: "",
              message: "The connection is closing. Nothing more can be sent on it; connect again."
            })
          )
        }),
      bufferedBytes: () => (state._tag === "Open" ? state.socket.bufferedAmount() : 0),
      get traits() {
        return { ...endpoint.traits, ...dialect?.traits }
      },
      ...(dialect?.resumption === undefined ? {} : { resumption: dialect.resumption })
    }
  })
