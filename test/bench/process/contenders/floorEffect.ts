import * as Effect from "effect/Effect"
import { connectBare } from "./bare.js"
import type { Connect } from "./Client.js"
import { streamed } from "./streamed.js"

/** Bytes go through a stream, in both directions. */
export const connect: Connect = (url, wishes) =>
  connectBare(url, wishes, {
    speaker: (listener) => streamed((bytes) => Effect.sync(() => listener(bytes))),
    microphone: (send) => streamed((bytes) => Effect.sync(() => send(bytes)))
  })
