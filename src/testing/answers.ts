import * as Either from "effect/Either"
import { decodedLength } from "../audio/Base64.js"
import { bytesPerSecond, defaultFormat, formatOf } from "../audio/Format.js"
import { field, type Moment } from "./Observation.js"

/** One part of the model's output, as the server sent it. */
export interface Answer {
  readonly responseId: string
  readonly itemId: string
  readonly contentIndex: number
  /** Its text, or the transcript of its audio. */
  readonly text: string
  /** The length of all audio that was sent, in milliseconds. */
  readonly sentMs: number
  /** How much of that the server still has, in milliseconds. */
  readonly leftMs: number
  /** Whether the server has cut it, whoever asked for that. */
  readonly isTruncated: boolean
  /** Whether its audio is complete. */
  readonly isComplete: boolean
  /** The pieces of the text, with how much audio was sent before each. */
  readonly pieces: ReadonlyArray<{ readonly length: number; readonly behindMs: number }>
  /** Bytes per second of its audio. */
  readonly bytesPerSecond: number
}

/** The output of a program's servers, by part. */
export interface Answers {
  readonly see: (moment: Moment) => void
  readonly get: (itemId: string, contentIndex: number) => Answer | undefined
  /** The parts of an item, in order. */
  readonly of: (itemId: string) => ReadonlyArray<Answer>
}

type Growing = { -readonly [Key in keyof Answer]: Answer[Key] } & {
  readonly pieces: Array<Answer["pieces"][number]>
}

type ServerEvent = Extract<Moment, { readonly _tag: "Answered" }>["event"]

export const make = (): Answers => {
  const answers = new Map<string, Growing>()
  const byItem = new Map<string, ReadonlyArray<Growing>>()
  /** The bytes per second of audio, by connection. */
  const rates = new Map<number, number>()

  const keyOf = (itemId: string, contentIndex: number): string => `${itemId} ${contentIndex}`

  const answerOf = (connection: number, event: ServerEvent): Growing | undefined => {
    const { content_index: contentIndex, item_id: itemId, response_id: responseId } = event
    if (typeof itemId !== "string" || typeof contentIndex !== "number") return undefined
    const known = answers.get(keyOf(itemId, contentIndex))
    if (known !== undefined || typeof responseId !== "string") return known
    const fresh: Growing = {
      responseId,
      itemId,
      contentIndex,
      text: "",
      sentMs: 0,
      leftMs: 0,
      isComplete: false,
      pieces: [],
      bytesPerSecond: rates.get(connection) ?? bytesPerSecond(defaultFormat),
      isTruncated: false
    }
    answers.set(keyOf(itemId, contentIndex), fresh)
    byItem.set(itemId, [...(byItem.get(itemId) ?? []), fresh])
    return fresh
  }

  const configured = (connection: number, session: unknown): void => {
    const format = field(field(field(session, "audio"), "output"), "format")
    const type = field(format, "type")
    const known = typeof type === "string" ? Either.getOrElse(formatOf(type), () => defaultFormat) : defaultFormat
    rates.set(connection, bytesPerSecond(known))
  }

  return {
    see: (moment) => {
      if (moment._tag !== "Answered") return
      const { connection, event } = moment
      const { audio_end_ms: endMs, delta, session, type } = event
      switch (type) {
        case "session.created":
        case "session.updated":
          configured(connection, session)
          break
        case "response.output_text.delta":
        case "response.output_audio_transcript.delta": {
          const answer = answerOf(connection, event)
          if (answer === undefined || typeof delta !== "string") break
          answer.pieces.push({ length: delta.length, behindMs: answer.sentMs })
          answer.text += delta
          break
        }
        case "response.output_audio.delta": {
          const answer = answerOf(connection, event)
          const bytes = typeof delta === "string" ? decodedLength(delta) : undefined
          if (answer === undefined || bytes === undefined) break
          answer.sentMs += (bytes * 1_000) / answer.bytesPerSecond
          // A part that was cut does not grow.
          if (!answer.isTruncated) answer.leftMs = answer.sentMs
          break
        }
        case "response.output_audio.done": {
          const answer = answerOf(connection, event)
          if (answer !== undefined) answer.isComplete = true
          break
        }
        case "conversation.item.truncated": {
          const answer = answerOf(connection, event)
          if (answer === undefined || typeof endMs !== "number") break
          answer.isTruncated = true
          answer.leftMs = endMs
          break
        }
      }
    },
    get: (itemId, contentIndex) => answers.get(keyOf(itemId, contentIndex)),
    of: (itemId) => byItem.get(itemId) ?? []
  }
}
