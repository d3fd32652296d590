import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Connect } from "./Client.js"
import { openSession, tell } from "./session.js"
import { streamed } from "./streamed.js"

/** As the README shows it: audio is a stream in both directions. */
export const connect: Connect = (url, wishes) =>
  openSession(url, wishes, {}, (session, scope) =>
    Effect.gen(function* () {
      const { onAudio } = wishes
      const listening = Stream.runForEach(session.events, (event) => Effect.sync(() => tell(event, wishes)))
      yield* Effect.forkIn(listening, scope)
      if (onAudio !== undefined) {
        const playing = Stream.runForEach(session.audio, ({ bytes }) => Effect.sync(() => onAudio(bytes)))
        yield* Effect.forkIn(playing, scope)
      }
      return streamed(session.sendAudio, (reading) => Effect.runSync(Effect.forkIn(reading, scope)))
    })
  )
