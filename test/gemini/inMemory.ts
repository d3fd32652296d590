import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { Border } from "../../src/gemini/Border.js"
import type { Manner } from "../../src/gemini/setup.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import { ConnectionLost, type Frame, Incoming, RealtimeModel } from "../../src/RealtimeModel.js"
import type { Step } from "../../src/realtimeModel/Dialect.js"
import type { Connection, GeminiServer } from "./GeminiServer.js"

/** What happens at the border, on the session's side. */
export interface Watcher {
  readonly opened: (number: number, connection: Connection, border: Border) => void
  readonly sent: (number: number, event: ClientEvent) => void
  readonly gave: (number: number, frame: Frame) => void
  readonly ended: (number: number, code: number, byServer: boolean) => void
}

const manner: Manner = { model: "gemini-test", setup: {}, takesWordsAsInput: false }

/** A model that talks to the server without a socket. Messages are still JSON text. */
export const modelOf = (
  server: GeminiServer,
  watcher: Partial<Watcher> = {},
  given: Partial<Manner> = {}
): typeof RealtimeModel.Service => {
  let count = 0
  return RealtimeModel.of({
    connect: ({ resumption }) =>
      Effect.gen(function* () {
        count += 1
        const number = count
        const border = new Border({ manner: { ...manner, ...given }, prefix: `c${number}`, resumption })
        const frames = new Incoming<Frame, ConnectionLost>()
        const run = yield* FiberSet.makeRuntime<never, void>()
        const waiting: Array<Frame> = []
        const give = (): void => {
          for (const frame of waiting.splice(0)) {
            watcher.gave?.(number, frame)
            frames.offer(frame)
          }
        }
        // As on a socket: nothing comes before what it answers was sent.
        const later = Effect.zipRight(Effect.yieldNow(), Effect.sync(give))
        let lost: ConnectionLost | undefined
        const lose = (code: number, reason: string, byServer: boolean): void => {
          if (lost !== undefined) return
          give()
          lost = new ConnectionLost({ code, reason, message: `It was closed with ${code}: ${reason}` })
          watcher.ended?.(number, code, byServer)
          frames.fail(lost)
        }
        const carryOut = ({ end, frames: those, send }: Step): void => {
          for (const text of send) connection.receive(text)
          if (waiting.length === 0 && those.length > 0) run(later)
          waiting.push(...those)
          if (end === undefined || lost !== undefined) return
          lose(end.code, end.reason, true)
          connection.hangUp()
        }
        const connection = yield* server.attach({
          deliver: (text) => {
            if (lost === undefined) carryOut(border.read(text, {}))
          },
          close: (code, reason) => {
            const meant = border.closed(code, reason)
            lose(meant.code, meant.reason, true)
          }
        })
        watcher.opened?.(number, connection, border)
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            frames.end()
            if (lost === undefined) watcher.ended?.(number, 1000, false)
            lost ??= new ConnectionLost({ code: 1000, reason: "", message: "This side has closed it." })
            connection.hangUp()
          })
        )
        return {
          frames,
          send: (event) =>
            Effect.suspend(() => {
              if (lost !== undefined) return Effect.fail(lost)
              watcher.sent?.(number, event)
              carryOut(border.write(event))
              return Effect.void
            }),
          bufferedBytes: () => 0,
          get traits() {
            return border.traits
          },
          resumption: border.resumption
        }
      })
  })
}
