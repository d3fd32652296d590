/**
 * Turns the parts that a mind thought of into a response, piece by piece, at the pace of the server.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Stream from "effect/Stream"
import type { Parts } from "./Mind.js"
import type { ServerResponse } from "./ServerResponse.js"
import type { Voice } from "./Voice.js"

export interface Manner {
  /** Time between two pieces. At zero, the pieces still come one by one, so that a cancel can come between them. */
  readonly pace: Duration.Duration
  readonly voice: Voice | undefined
  readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma"
}

const words = (text: string): ReadonlyArray<string> => text.match(/\s*\S+\s*$|\s*\S+/g) ?? (text === "" ? [] : [text])

const sentences = (text: string): ReadonlyArray<string> =>
  text.match(/[^.!?]+[.!?]*\s*|[.!?]+\s*/g) ?? (text === "" ? [] : [text])

const slices = (text: string): ReadonlyArray<string> => text.match(/[\s\S]{1,8}/gu) ?? []

const step = (manner: Manner): Effect.Effect<void> =>
  Duration.toMillis(manner.pace) === 0 ? Effect.yieldNow() : Effect.sleep(manner.pace)

/** Says all parts and completes the response, unless one of them, a limit, or a cancel ends it earlier. */
export const respond = (response: ServerResponse, parts: Parts, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const [index, part] of parts.entries()) {
      if (!response.active) return
      const end = () => {
        if (parts[index + 1]?._tag !== "CutShort") response.endItem("completed")
      }
      switch (part._tag) {
        case "Say":
          yield* step(manner)
          response.startMessage(part.phase)
          yield* speak(response, part.text, manner)
          end()
          break
        case "Call":
          yield* step(manner)
          response.startCall(part.name, part.callId)
          yield* stream(response, slices(part.arguments), manner)
          end()
          break
        case "Fail":
          response.finish({
            type: "failed",
            error: {
              type: part.code === "rate_limit_exceeded" ? "tokens" : "server_error",
              code: part.code,
              message: part.message
            }
          })
          break
        case "CutShort":
          response.finish({ type: "incomplete", reason: part.reason })
          break
        case "Pause":
          yield* Effect.sleep(part.duration)
          break
        case "Stall":
          yield* Effect.never
          break
      }
    }
    yield* step(manner)
    response.finish({ type: "completed" })
  })

const speak = (response: ServerResponse, text: string, manner: Manner): Effect.Effect<void> => {
  const { voice, format } = manner
  if (response.modality === "text" || voice === undefined) return stream(response, words(text), manner)
  return Effect.forEach(
    sentences(text),
    (sentence) =>
      Effect.zipRight(
        stream(response, words(sentence), manner),
        Stream.runForEach(voice.speak(sentence, { format }), (speech) =>
          Effect.zipRight(
            step(manner),
            Effect.sync(() => response.audio(Encoding.encodeBase64(speech.audio), speech.ms))
          )
        )
      ),
    { discard: true }
  )
}

const stream = (response: ServerResponse, pieces: ReadonlyArray<string>, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const piece of pieces) {
      yield* step(manner)
      if (response.full) response.finish({ type: "incomplete", reason: "max_output_tokens" })
      if (!response.active) return
      response.delta(piece)
    }
  })
