/** One call of the page: the client of the gateway, with a socket that the user can break. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { type CallEnded, type CallLost, GatewayClient, type GatewayProtocol } from "../../../gateway-client.js"

export type Status =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Connected" }
  /** The socket broke. The call goes on. */
  | { readonly _tag: "Reconnecting" }
  /** The console is stopping. */
  | { readonly _tag: "Draining" }
  | { readonly _tag: "Ended"; readonly isFailure: boolean; readonly message: string }

/** A command of the user, for the client of the call. */
export type Ask = (client: GatewayClient.Client) => Effect.Effect<unknown, GatewayClient.CommandError>

export interface Listeners {
  readonly onStatus: (status: Status) => void
  /** The call has begun. */
  readonly onClient: (client: GatewayClient.Client) => void
  readonly onNews: (news: GatewayClient.News) => void
}

export interface Call {
  /** Carries out a command, or returns why it was not carried out. A call that is being connected carries it out later. */
  readonly ask: (ask: Ask) => Promise<Either.Either<void, string>>
  /** Breaks the socket, as a network failure would, to show that the call survives it. */
  readonly breakSocket: () => void
  /** Hangs up, if the call has not ended. */
  readonly leave: () => void
}

/** Who decides when a turn of the user ends: the model, or the user by letting a button go. */
export type Turns = GatewayProtocol.Turns

type Failure = Effect.Effect.Error<ReturnType<typeof GatewayClient.connect>> | CallEnded | CallLost

/** Not a code of the gateway, so that the call can be resumed. */
const brokenByUser = 4_999

export const begin = (url: string, token: string, turns: Turns, listeners: Listeners): Call => {
  const ready = Deferred.unsafeMake<GatewayClient.Client, string>(FiberId.none)
  let socket: WebSocket | undefined
  class Tracked extends WebSocket {
    constructor(url: string, protocols: Array<string>) {
      super(url, protocols)
      socket = this
    }
  }
  const program: Effect.Effect<void, Failure> = Effect.gen(function* () {
    const client = yield* GatewayClient.connect({ url, token: Redacted.make(token), turns, webSocket: Tracked })
    yield* Effect.forkScoped(
      Stream.runForEach(client.status.changes, (status) =>
        // The end is told with its reason.
        Effect.sync(() => status._tag === "Ended" || listeners.onStatus({ _tag: status._tag }))
      )
    )
    listeners.onClient(client)
    yield* Deferred.succeed(ready, client)
    // The news end with the call.
    yield* Stream.runForEach(client.news, (news) => Effect.sync(() => listeners.onNews(news)))
    yield* client.await
  }).pipe(Effect.scoped)

  const fiber = Effect.runFork(program)
  fiber.addObserver((exit) => {
    const message = reasonOf(exit)
    Deferred.unsafeDone(ready, Effect.fail(message))
    listeners.onStatus({ _tag: "Ended", isFailure: Exit.isFailure(exit), message })
  })
  return {
    ask: (ask) =>
      Deferred.await(ready).pipe(
        Effect.flatMap((client) => Effect.mapError(ask(client), ({ message }) => message)),
        Effect.asVoid,
        Effect.either,
        Effect.runPromise
      ),
    breakSocket: () => socket?.close(brokenByUser),
    leave: () => {
      Effect.runFork(Fiber.interrupt(fiber))
    }
  }
}

const reasonOf = (exit: Exit.Exit<void, Failure>): string => {
  if (Exit.isSuccess(exit)) return "You hung up."
  const failure = Cause.failureOption(exit.cause)
  if (failure._tag === "Some") return messageOf(failure.value)
  return Cause.isInterruptedOnly(exit.cause) ? "You left the call." : `The page failed: ${Cause.pretty(exit.cause)}`
}

/** The client's advice is for whoever runs a gateway. Here, that is the command. */
const messageOf = (failure: Failure): string => {
  switch (failure._tag) {
    case "ConnectFailed":
      return "The console cannot be reached. Is the command still running?"
    case "CallLost":
      return "The connection to the console broke, and the call could not be resumed. Is the command still running?"
    default:
      return failure.message
  }
}
