import * as Effect from "effect/Effect"
import type { AudioChunk, SessionEvent } from "../../../../src/SessionEvent.js"
import type { Connect } from "./Client.js"
import { openSession, tell } from "./session.js"

/** As one has it who relays from one socket to another: told by listeners, and each piece is sent from the callback that brings it. */
export const connect: Connect = (url, wishes) => {
  const { onAudio } = wishes
  const listeners = {
    onEvent: (event: SessionEvent) => tell(event, wishes),
    ...(onAudio && { onAudio: ({ bytes }: AudioChunk) => onAudio(bytes) })
  }
  return openSession(url, wishes, listeners, (session) =>
    Effect.succeed((bytes: Uint8Array) => void Effect.runFork(session.sendAudio(bytes)))
  )
}
