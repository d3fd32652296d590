/** The WebSocket if the condition `node` (`imports` in `package.json`) does not apply: the platform's own. */
import * as Effect from "effect/Effect"
import { platformWebSocket } from "./platformWebSocket.js"
import type { WebSocketFactory } from "./WebSocket.js"

/** Fails with a message that says what to do. */
export const defaultSocket: Effect.Effect<WebSocketFactory, string> = Effect.suspend(() =>
  typeof globalThis.WebSocket === "function"
    ? Effect.succeed(platformWebSocket(globalThis.WebSocket))
    : Effect.fail("This platform has no WebSocket. Give a `webSocket` constructor.")
)
