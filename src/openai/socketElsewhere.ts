/**
 * The WebSocket wherever the condition `node` does not hold (`imports` in `package.json`): the platform's own.
 */
import * as Effect from "effect/Effect"
import { platformWebSocket } from "./platformWebSocket.js"
import type { WebSocketFactory } from "./WebSocket.js"

/** Fails with what to do about it. */
export const defaultSocket: Effect.Effect<WebSocketFactory, string> = Effect.suspend(() =>
  typeof globalThis.WebSocket === "function"
    ? Effect.succeed(platformWebSocket(globalThis.WebSocket))
    : Effect.fail("This platform has no WebSocket. Give a `webSocket` constructor.")
)
