/**
 * Turns the parts that a mind thought of into a response, piece by piece, at the pace of the server.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../Audio.js"
import type { Parts } from "./Mind.js"
import type { ServerResponse } from "./ServerResponse.js"
import type { Voice } from "./Voice.js"

export interface Manner {
  /** Time between two pieces. At zero, the pieces still come one by one, so that a cancel can come between them. */
  readonly pace: Duration.Duration
  readonly voice: Voice
  /** How many times faster than it plays audio is made; as fast as `pace` allows where there is none. */
  readonly realtimeFactor: number | undefined
  readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma"
}

const words = (text: string): ReadonlyArray<string> => text.match(/\s*\S+\s*$|\s*\S+/g) ?? (text === "" ? [] : [text])

const sentences = (text: string): ReadonlyArray<string> =>
  text.match(/[^.!?]+[.!?]*\s*|[.!?]+\s*/g) ?? (text === "" ? [] : [text])

const slices = (text: string): ReadonlyArray<string> => text.match(/[\s\S]{1,8}/gu) ?? []

/** The time between two pieces. At zero, others still get their turn. */
export const pause = (pace: Duration.Duration): Effect.Effect<void> =>
  Duration.toMillis(pace) === 0 ? Effect.yieldNow() : Effect.sleep(pace)

const step = (manner: Manner): Effect.Effect<void> => pause(manner.pace)

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
        case "McpCall":
          yield* step(manner)
          response.startMcpCall(part)
          yield* stream(response, slices(part.arguments), manner)
          if (parts[index + 1]?._tag === "CutShort") break
          if (part.manner.runs === "after") {
            response.leaveMcpCall(part)
            break
          }
          response.runMcpCall()
          yield* part.manner.takes === undefined ? step(manner) : Effect.sleep(part.manner.takes)
          response.endMcpCall(part)
          break
        case "McpApprovalRequest":
          yield* step(manner)
          response.askApproval(part)
          break
        case "McpListTools":
          yield* step(manner)
          response.listMcpTools(part)
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

const speak = (response: ServerResponse, text: string, manner: Manner): Effect.Effect<void> =>
  response.modality === "text"
    ? stream(response, words(text), manner)
    : Effect.forEach(sentences(text), (sentence) => aloud(response, sentence, manner), { discard: true })

/** How long a character takes at the least, in milliseconds: a bit faster than the silent voice speaks. */
const fastest = 55

/** Words and sound take turns; as on the real API, the words of a sound come before it. */
const aloud = (response: ServerResponse, sentence: string, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    const left = [...words(sentence)]
    let said = 0
    let spokenMs = 0
    /** At least one, and those that may be spoken by then. */
    const due = (ms: number): ReadonlyArray<string> => {
      spokenMs += ms
      const taken: Array<string> = []
      while (left.length > 0 && (taken.length === 0 || said * fastest < spokenMs)) {
        const [word = ""] = left.splice(0, 1)
        said += word.length
        taken.push(word)
      }
      return taken
    }
    const speech = manner.voice.speak(sentence, { format: manner.format })
    yield* Stream.runForEach(
      Stream.takeWhile(speech, () => response.active),
      ({ audio, ms }) =>
        Effect.gen(function* () {
          yield* stream(response, due(ms), manner)
          yield* step(manner)
          if (!goesOn(response)) return
          response.audio(Audio.encodeBase64(audio), ms)
          if (manner.realtimeFactor !== undefined) yield* Effect.sleep(ms / manner.realtimeFactor)
        })
    )
    yield* stream(response, left, manner)
  })

/** Ends a response that has reached its limit, and says whether there is more to say. */
const goesOn = (response: ServerResponse): boolean => {
  if (response.full) response.finish({ type: "incomplete", reason: "max_output_tokens" })
  return response.active
}

const stream = (response: ServerResponse, pieces: ReadonlyArray<string>, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const piece of pieces) {
      yield* step(manner)
      if (!goesOn(response)) return
      response.delta(piece)
    }
  })
