/** Two ends of a WebSocket in memory. */
import * as Socket from "@effect/platform/Socket"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type { Frame } from "./Codec.js"

const encoder = new TextEncoder()

/** What has arrived at one end, and waits until somebody reads. */
class Inlet {
  #waiting: Array<Frame> = []
  #take: ((frame: Frame) => void) | undefined
  readonly closed = Deferred.unsafeMake<Socket.CloseEvent>(FiberId.none)

  arrive(frame: Frame): void {
    if (this.#take === undefined) this.#waiting.push(frame)
    else this.#take(frame)
  }

  read(take: (frame: Frame) => void): void {
    this.#take = take
    for (const frame of this.#waiting.splice(0)) take(frame)
  }
}

const socketOf = (here: Inlet, there: Inlet): Socket.Socket => {
  const runRaw: Socket.Socket["runRaw"] = (handler, options) =>
    Effect.gen(function* () {
      const fork = Runtime.runFork(yield* Effect.runtime<never>())
      if (options?.onOpen !== undefined) yield* options.onOpen
      here.read((frame) => {
        const handled = handler(frame)
        if (Effect.isEffect(handled)) fork(Effect.ignore(handled as Effect.Effect<unknown, unknown>))
      })
      const { code, reason } = yield* Deferred.await(here.closed)
      if (code === 1_000 || code === 1_006) return
      yield* new Socket.SocketCloseError({ reason: "Close", code, closeReason: reason ?? "" })
    })
  const write = (data: Frame | Socket.CloseEvent) =>
    Effect.sync(() => {
      if (!Socket.isCloseEvent(data)) return there.arrive(data)
      // The other end confirms it with the same code.
      for (const end of [there, here]) Deferred.unsafeDone(end.closed, Exit.succeed(data))
    })
  return {
    [Socket.TypeId]: Socket.TypeId,
    run: (handler, options) =>
      runRaw((data) => handler(typeof data === "string" ? encoder.encode(data) : data), options),
    runRaw,
    writer: Effect.succeed(write)
  }
}

/** What is written to one is read from the other, at once and in order. Either may be closed by either side. */
export const socketPair = (): readonly [Socket.Socket, Socket.Socket] => {
  const [one, other] = [new Inlet(), new Inlet()]
  return [socketOf(one, other), socketOf(other, one)]
}
