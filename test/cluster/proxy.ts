/** Stands between a node and its database, and makes the way slow, or cuts it. */
import { createConnection, createServer, type Socket } from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export interface Proxy {
  readonly port: number
  /** From now on, whatever travels takes this much longer in each direction. */
  readonly delay: (ms: number) => Effect.Effect<void>
  /** Ends all connections, and refuses new ones. */
  readonly cut: Effect.Effect<void>
  readonly mend: Effect.Effect<void>
}

export const make = (
  target: { readonly host: string; readonly port: number },
  host = "127.0.0.1"
): Effect.Effect<Proxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const open = new Set<Socket>()
    let delayMs = 0
    let isCut = false
    const endAll = () => {
      for (const socket of open) socket.destroy()
      open.clear()
    }

    /** Timers of the same length keep their order; one of another length must not overtake them. */
    const carry = (from: Socket, to: Socket) => {
      let queue = Promise.resolve()
      const later = (act: () => void) => {
        const until = Date.now() + delayMs
        queue = queue.then(async () => {
          const rest = until - Date.now()
          if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest))
          act()
        })
      }
      from.on("data", (piece) => later(() => to.write(piece)))
      from.on("end", () => later(() => to.end()))
      from.on("close", () => later(() => to.destroy()))
      from.on("error", () => undefined)
    }

    const server = createServer((near) => {
      if (isCut) return void near.destroy()
      const far = createConnection(target)
      for (const socket of [near, far]) {
        socket.setNoDelay(true)
        open.add(socket)
        socket.on("close", () => open.delete(socket))
      }
      carry(near, far)
      carry(far, near)
    })
    const listening = Effect.async<number>((resume) => {
      server.listen(0, host, () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
    const port = yield* Effect.acquireRelease(listening, () =>
      Effect.sync(() => {
        endAll()
        server.close()
      })
    )
    return {
      port,
      delay: (ms) =>
        Effect.sync(() => {
          delayMs = ms
        }),
      cut: Effect.sync(() => {
        isCut = true
        endAll()
      }),
      mend: Effect.sync(() => {
        isCut = false
      })
    }
  })
