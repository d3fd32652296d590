/**
 * The WebSocket if the condition `node` (`imports` in `package.json`) applies: `ws`, which sends headers, pings, and
 * says why a handshake was refused. It is loaded at the first connection.
 */
import * as Effect from "effect/Effect"
import type { WebSocketFactory } from "./WebSocket.js"

/** Fails with a message that says what to do. */
export const defaultSocket: Effect.Effect<WebSocketFactory, string> = Effect.tryPromise({
  try: async () => (await import("./nodeWebSocket.js")).nodeWebSocket,
  catch: () => "The package `ws` cannot be loaded. Install it, or give a `webSocket` constructor."
})
