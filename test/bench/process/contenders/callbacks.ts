import * as Effect from "effect/Effect"
import type { Connect } from "./Client.js"
import { openSession } from "./session.js"

/** As one has it who relays from one socket to another: each piece is sent from the callback that brings it. */
export const connect: Connect = (url, wishes) =>
  openSession(url, wishes, (session) =>
    Effect.succeed((bytes: Uint8Array) => void Effect.runFork(session.sendAudio(bytes)))
  )
