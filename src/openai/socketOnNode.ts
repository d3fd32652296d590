/**
 * The WebSocket where the condition `node` holds (`imports` in `package.json`): `ws`, which sends headers, pings, and
 * says why a handshake was refused. Loaded at the first connection.
 */
import * as Effect from "effect/Effect"
import type { WebSocketFactory } from "./WebSocket.js"

/** Fails with what to do about it. */
export const defaultSocket: Effect.Effect<WebSocketFactory, string> = Effect.tryPromise({
  try: async () => (await import("./nodeWebSocket.js")).nodeWebSocket,
  catch: () => "The package `ws` can't be loaded. Install it, or give a `webSocket` constructor."
})
