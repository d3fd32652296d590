/** The embedded server without a socket. Frames are still JSON text, so it is as strict as over a socket. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import { decodeServerFrame, encodeClientEvent } from "../protocol/Codec.js"
import {
  CallGone,
  type ConnectError,
  type Connection,
  ConnectionLost,
  type ConnectOptions,
  ConnectTimedOut,
  type Frame,
  HandshakeRefused,
  Incoming,
  sideband,
  type Traits
} from "../RealtimeModel.js"
import type { Dialect, Step } from "../realtimeModel/Dialect.js"
import type { Server } from "./Server.js"

const kept: Traits = { conversation: "server" }

const URL = "memory://embedded/v1/realtime"
/** The time limit of a handshake, in milliseconds: the same as the default of `OpenAiRealtime`. */
const OPEN_TIMEOUT_MS = 10_000
/** A client that takes no frames is disconnected when this many wait, like one that does not read its socket. */
const MAX_UNTAKEN = 100_000

const lost = (code: number, reason: string): ConnectionLost =>
  new ConnectionLost({
    code,
    reason,
    message:
      code === 1006
        ? "The embedded server dropped the connection without a CLOSE frame. Connect again."
        : `The embedded server closed the connection with code ${code}${reason === "" ? "" : `: ${reason}`}`
  })

const UNTAKEN = `More than ${MAX_UNTAKEN} frames of the embedded server wait for their reader. Take them as they come, and connect again.`

type State =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Lost"; readonly error: ConnectionLost }
  | { readonly _tag: "Left" }

/** `dialect`: the client's side of the server's dialect. Default: OpenAI's. */
export const connect = (
  server: Server,
  options: ConnectOptions,
  callId?: string,
  dialect?: Dialect
): Effect.Effect<Connection, ConnectError, Scope.Scope> =>
  Effect.gen(function* () {
    const welcome = yield* Effect.timeoutFail(server.welcome(options.model, callId), {
      duration: OPEN_TIMEOUT_MS,
      onTimeout: () =>
        new ConnectTimedOut({
          url: URL,
          afterMs: OPEN_TIMEOUT_MS,
          message: `The embedded server did not answer the handshake within ${OPEN_TIMEOUT_MS / 1_000} seconds, as its faults told it to. Connect again.`
        })
    })
    if (welcome._tag === "Refused" && welcome.status === 404 && callId !== undefined) {
      return yield* new CallGone({ callId, message: "The call on the embedded server is over: nothing is left to do." })
    }
    if (welcome._tag === "Refused") {
      return yield* new HandshakeRefused({
        status: welcome.status,
        ...(welcome.retryAfterMs === undefined ? {} : { retryAfterMs: welcome.retryAfterMs }),
        url: URL,
        body: welcome.body.slice(0, 2_000),
        message: `The embedded server refused the handshake with status ${welcome.status}, as its faults told it to.`
      })
    }
    const frames = new Incoming<Frame, ConnectionLost>({ capacity: MAX_UNTAKEN / 2 })
    let state: State = { _tag: "Open" }

    const lose = (error: ConnectionLost) => {
      if (state._tag !== "Open") return
      state = { _tag: "Lost", error }
      frames.fail(error)
    }

    const offer = (frame: Frame): void => {
      if (state._tag !== "Open" || frames.offer(frame)) return
      lose(new ConnectionLost({ code: 1006, reason: "", message: UNTAKEN }))
      attached.hangUp({ _tag: "Dropped" })
    }

    // The first event is delivered before anything can be sent.
    const carryOut = ({ frames: those, send: texts }: Step): void => {
      for (const text of texts) attached.receive(text)
      for (const frame of those) offer(frame)
    }

    const attached = yield* server.attach(welcome, {
      deliver: (text) => {
        if (dialect === undefined) offer(decodeServerFrame(text))
        else carryOut(dialect.read(text, {}))
      },
      close: (code, reason) => lose(lost(code, reason)),
      drop: () => lose(lost(1006, ""))
    })

    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (state._tag === "Open") state = { _tag: "Left" }
        frames.end()
        attached.hangUp({ _tag: "ClosedByClient", code: 1000, reason: "" })
      })
    )

    const send = (event: ClientEvent) =>
      Effect.suspend((): Effect.Effect<void, ConnectionLost> => {
        switch (state._tag) {
          case "Open":
            return Effect.sync(() => {
              if (dialect === undefined) attached.receive(encodeClientEvent(event))
              else carryOut(dialect.write(event))
            })
          case "Lost":
            return Effect.fail(state.error)
          case "Left":
            return Effect.fail(
              new ConnectionLost({
                code: 1000,
                reason: "",
                message: "This side has closed the connection. Connect again to send more."
              })
            )
        }
      })

    const traits = callId !== undefined ? sideband : server.keepsConversation ? kept : undefined
    return { frames, send, bufferedBytes: () => 0, ...(traits === undefined ? {} : { traits }) }
  })
