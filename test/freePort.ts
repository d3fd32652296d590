import { createServer } from "node:net"
import * as Effect from "effect/Effect"

/** Below the ports that systems give to outgoing connections: 32,768 and up on Linux, 49,152 and up elsewhere. */
const lowest = 20_000
const count = 12_000

/** Programs that look for ports at the same time begin at different ones. */
let next = (process.pid * 97) % count

/**
 * A port that nobody uses, for another program. It is given once. One that the system chooses could be the port of
 * somebody's outgoing connection before the program listens.
 */
export const freePort: Effect.Effect<number> = Effect.async((resume) => {
  const look = (): void => {
    const port = lowest + next
    next = (next + 1) % count
    const server = createServer()
    server.once("error", look)
    server.listen(port, "0.0.0.0", () => server.close(() => resume(Effect.succeed(port))))
  }
  look()
})
