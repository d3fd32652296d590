/** Turns a mind's parts into a response, piece by piece, at the server's pace. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Audio from "../Audio.js"
import type { McpCall } from "./McpParts.js"
import type { Part } from "./Mind.js"
import { Sentences } from "./Sentences.js"
import type { ServerResponse } from "./ServerResponse.js"
import type { Speech, Voice } from "./Voice.js"

export interface Manner {
  /** Time between two pieces. At zero, pieces still come one by one, so that a cancel can come between them. */
  readonly pace: Duration.Duration
  readonly voice: Voice
  /** How many times faster than real time audio is generated. If absent, as fast as `pace` allows. */
  readonly realtimeFactor: number | undefined
  readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma"
}

const words = (text: string): ReadonlyArray<string> => text.match(/\s*\S+\s*$|\s*\S+/g) ?? (text === "" ? [] : [text])

const slices = (text: string): ReadonlyArray<string> => text.match(/[\s\S]{1,8}/gu) ?? []

/** The time between two pieces. At zero, other fibers still get their turn. */
export const pause = (pace: Duration.Duration): Effect.Effect<void> =>
  Duration.toMillis(pace) === 0 ? Effect.yieldNow() : Effect.sleep(pace)

const step = (manner: Manner): Effect.Effect<void> => pause(manner.pace)

/** The part of the latest item that is not over yet. */
type Open =
  | { readonly _tag: "Nothing" }
  /** A complete item. It ends like this, unless the next part cuts it short. */
  | { readonly _tag: "Item"; readonly end: Effect.Effect<void> }
  /** A message that the next delta continues. */
  | { readonly _tag: "Message"; readonly text: Sentences }

const nothing: Open = { _tag: "Nothing" }

/**
 * Sends each part as it comes. Completes the response after the last part, unless a part, a limit or a cancel ends it
 * earlier.
 */
export const respond = (response: ServerResponse, parts: Stream.Stream<Part>, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    let open: Open = nothing
    yield* Stream.runForEachWhile(parts, (part) =>
      Effect.gen(function* () {
        if (!response.active) return false
        if (part._tag === "Usage") response.counted(part.inputTokens, part.outputTokens)
        else if (part._tag === "SayDelta") open = yield* sayOn(response, open, part, manner)
        else {
          yield* close(response, open, part, manner)
          open = yield* begin(response, part, manner)
        }
        return response.active
      })
    )
    if (!response.active) return
    yield* close(response, open, undefined, manner)
    yield* step(manner)
    response.finish({ type: "completed" })
  })

/** Ends the open item, now that the next part is known. */
const close = (response: ServerResponse, open: Open, next: Part | undefined, manner: Manner): Effect.Effect<void> => {
  switch (open._tag) {
    case "Nothing":
      return Effect.void
    case "Item":
      return next?._tag === "CutShort" ? Effect.void : open.end
    case "Message":
      return Effect.zipRight(
        speak(response, open.text.end(), manner),
        Effect.sync(() => {
          if (next?._tag !== "CutShort" && next?._tag !== "Fail") response.endItem("completed")
        })
      )
  }
}

const sayOn = (
  response: ServerResponse,
  open: Open,
  part: Extract<Part, { readonly _tag: "SayDelta" }>,
  manner: Manner
): Effect.Effect<Open> =>
  Effect.gen(function* () {
    let message = open
    if (message._tag !== "Message") {
      yield* close(response, open, part, manner)
      yield* step(manner)
      response.startMessage(part.phase)
      message = { _tag: "Message", text: new Sentences() }
    }
    yield* speak(response, piecesOf(response, message.text, part.text), manner)
    return message
  })

/** What can be said now. Written text does not need whole sentences. */
const piecesOf = (response: ServerResponse, text: Sentences, delta: string): ReadonlyArray<string> =>
  response.modality === "text" ? [delta] : text.push(delta)

/** Sends everything in a part. */
const begin = (
  response: ServerResponse,
  part: Exclude<Part, { readonly _tag: "SayDelta" | "Usage" }>,
  manner: Manner
): Effect.Effect<Open> =>
  Effect.gen(function* () {
    switch (part._tag) {
      case "Say": {
        const text = new Sentences()
        yield* step(manner)
        response.startMessage(part.phase)
        yield* speak(response, [...piecesOf(response, text, part.text), ...text.end()], manner)
        return item(Effect.sync(() => response.endItem("completed")))
      }
      case "Call":
        yield* step(manner)
        response.startCall(part.name, part.callId)
        yield* stream(response, slices(part.arguments), manner)
        return item(Effect.sync(() => response.endItem("completed")))
      case "McpCall":
        yield* step(manner)
        response.startMcpCall(part)
        yield* stream(response, slices(part.arguments), manner)
        return item(
          part.manner.runs === "after"
            ? Effect.sync(() => response.leaveMcpCall(part))
            : runMcpCall(response, part, manner)
        )
      case "McpApprovalRequest":
        yield* step(manner)
        response.askApproval(part)
        return nothing
      case "McpListTools":
        yield* step(manner)
        response.listMcpTools(part)
        return nothing
      case "Fail":
        response.finish({
          type: "failed",
          error: {
            type: part.code === "rate_limit_exceeded" ? "tokens" : "server_error",
            code: part.code,
            message: part.message
          }
        })
        return nothing
      case "CutShort":
        response.finish({ type: "incomplete", reason: part.reason })
        return nothing
      case "Pause":
        yield* Effect.sleep(part.duration)
        return nothing
      case "Stall":
        return yield* Effect.never
    }
  })

const item = (end: Effect.Effect<void>): Open => ({ _tag: "Item", end })

const runMcpCall = (response: ServerResponse, call: McpCall, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    response.runMcpCall()
    yield* call.manner.takes === undefined ? step(manner) : Effect.sleep(call.manner.takes)
    response.endMcpCall(call)
  })

const speak = (response: ServerResponse, pieces: ReadonlyArray<string>, manner: Manner): Effect.Effect<void> =>
  Effect.forEach(
    pieces,
    (piece) => (response.modality === "text" ? stream(response, words(piece), manner) : aloud(response, piece, manner)),
    { discard: true }
  )

/** The minimum time for a character, in milliseconds: slightly faster than the silent voice. */
const fastest = 55

/** Words and audio alternate. As on the real API, the words come before their audio. */
const aloud = (response: ServerResponse, sentence: string, manner: Manner): Effect.Effect<void> =>
  Effect.gen(function* () {
    const left = [...words(sentence)]
    let said = 0
    let spokenMs = 0
    /** The words that may be spoken by then; at least one, unless the voice gives the number. */
    const due = ({ characters, ms }: Speech): ReadonlyArray<string> => {
      spokenMs += ms
      const taken: Array<string> = []
      const isDue = () =>
        characters === undefined ? taken.length === 0 || said * fastest < spokenMs : said < characters
      while (left.length > 0 && isDue()) {
        const [word = ""] = left.splice(0, 1)
        said += word.length
        taken.push(word)
      }
      return taken
    }
    const speech = manner.voice.speak(sentence, { format: manner.format })
    yield* Stream.runForEach(
      Stream.takeWhile(speech, () => response.active),
      (piece) =>
        Effect.gen(function* () {
          const { audio, ms } = piece
          yield* stream(response, due(piece), manner)
          yield* step(manner)
          if (!goesOn(response)) return
          response.audio(Audio.encodeBase64(audio), ms)
          if (manner.realtimeFactor !== undefined) yield* Effect.sleep(ms / manner.realtimeFactor)
        })
    )
    yield* stream(response, left, manner)
  })

/** Ends a response that has reached its limit. Returns whether the response goes on. */
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
