import * as Either from "effect/Either"
import { decodeBase64, decodedLength } from "../audio/Base64.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import type { Moment, Scene } from "./Observation.js"

/** How much of a chunk is compared at each of its ends, in bytes: the server's voice makes all chunks different. */
const compared = 48

/** Whether these bytes are the same as this base64. */
const isSame = (delta: string, bytes: Uint8Array): boolean => {
  if (decodedLength(delta) !== bytes.length) return false
  const digits = (compared / 3) * 4
  const [head, tail] = delta.length <= 2 * digits ? [delta, ""] : [delta.slice(0, digits), delta.slice(-digits)]
  const decodedTail = Either.getOrElse(decodeBase64(tail), () => new Uint8Array())
  return (
    startsWith(
      bytes,
      Either.getOrElse(decodeBase64(head), () => new Uint8Array())
    ) && startsWith(bytes.subarray(bytes.length - decodedTail.length), decodedTail)
  )
}

const startsWith = (bytes: Uint8Array, beginning: Uint8Array): boolean =>
  beginning.every((byte, index) => bytes[index] === byte)

/** The audio of one response. */
interface Spoken {
  readonly connection: number
  /** The audio that the server sent and that was not played yet, by part, the oldest first. */
  readonly pending: Map<string, Array<string>>
  /** Whether nothing more of it may be heard. */
  isCut: boolean
}

const partOf = (itemId: unknown, contentIndex: unknown): string => `${String(itemId)} ${String(contentIndex)}`

interface Listening {
  readonly see: (moment: Moment) => ReadonlyArray<string>
  /** The audio that should have been played or heard, and was not. */
  readonly left: () => ReadonlyArray<string>
}

const listen = ({ program }: Scene): Listening => {
  const responses = new Map<string, Spoken>()
  const played: Array<AudioChunk> = []
  let heard = 0
  const lost = new Set<number>()
  /** Somebody stopped what was being said. If the connection was lost, nothing else says what was stopped. */
  let wasStopped = false
  /** Responses that had begun when the user last interrupted, or before. */
  const silenced = new Set<string>()
  const begun = new Set<string>()
  /** What the reader missed, after everything that it still holds. */
  const gaps: Array<{ readonly at: number; readonly count: number }> = []

  const spoken = (responseId: string, connection: number): Spoken => {
    const known = responses.get(responseId)
    if (known !== undefined) return known
    const fresh = { connection, pending: new Map<string, Array<string>>(), isCut: false }
    responses.set(responseId, fresh)
    return fresh
  }

  const cut = (responseId: string): void => {
    const response = responses.get(responseId)
    if (response !== undefined) response.isCut = true
  }

  const answered = (connection: number, event: { readonly [key: string]: unknown }): void => {
    const { content_index, delta, item_id, response_id, type } = event
    if (type !== "response.output_audio.delta" || typeof delta !== "string" || typeof response_id !== "string") return
    const { pending } = spoken(response_id, connection)
    const part = partOf(item_id, content_index)
    const deltas = pending.get(part)
    if (deltas === undefined) pending.set(part, [delta])
    else deltas.push(delta)
  }

  const play = (chunk: AudioChunk): ReadonlyArray<string> => {
    played.push(chunk)
    const part = partOf(chunk.itemId, chunk.contentIndex)
    const response = responses.get(chunk.responseId)
    if (response?.isCut) return [`Audio of ${part} was played after it was cut.`]
    if (silenced.has(chunk.responseId)) return [`Audio of ${part} was played after the user interrupted.`]
    const delta = response?.pending.get(part)?.shift()
    if (delta === undefined) return [`Audio of ${part} was played that the server did not send.`]
    return isSame(delta, chunk.bytes) ? [] : [`Audio of ${part} was played in the wrong order, or changed.`]
  }

  const skip = (): void => {
    for (let gap = gaps[0]; gap !== undefined && gap.at <= heard; gap = gaps[0]) {
      heard += gap.count
      gaps.shift()
    }
  }

  const hear = (chunk: AudioChunk): ReadonlyArray<string> => {
    skip()
    const isNext = played[heard] === chunk
    heard += 1
    return isNext ? [] : [`The reader of the audio got a piece of ${chunk.itemId} out of order.`]
  }

  const published = (event: SessionEvent): void => {
    switch (event._tag) {
      case "AudioInterrupted":
        cut(event.responseId)
        break
      case "AudioDropped":
        gaps.push({ at: played.length - event.count, count: event.count })
        break
      case "ResponseStarted":
        begun.add(event.responseId)
        break
      case "SpeechStarted":
        // Turn detection in these sessions interrupts the model.
        for (const responseId of begun) silenced.add(responseId)
        wasStopped = true
        break
      case "GuardrailTripped":
        wasStopped = true
        break
    }
  }

  return {
    see: (moment) => {
      switch (moment._tag) {
        case "Answered":
          answered(moment.connection, moment.event)
          return []
        case "Disconnected":
          lost.add(moment.connection)
          return []
        case "Step":
          wasStopped ||= program.steps[moment.index]?.action._tag === "Interrupts"
          return []
        case "Sent": {
          const { connection, event } = moment
          if (event.type === "response.cancel" && event.response_id !== undefined) {
            spoken(event.response_id, connection).isCut = true
          }
          return []
        }
        case "Published":
          published(moment.event)
          return []
        case "Played":
          return play(moment.chunk)
        case "Heard":
          return hear(moment.chunk)
        default:
          return []
      }
    },
    left: () => {
      const unplayed = Array.from(responses)
        .filter(([id, { connection, isCut }]) => !isCut && !silenced.has(id) && !(wasStopped && lost.has(connection)))
        .flatMap(([, { pending }]) => Array.from(pending))
        .filter(([, deltas]) => deltas.length > 0)
        .map(([part, deltas]) => `The last ${deltas.length} pieces of ${part} were never played.`)
      skip()
      const unheard = played.length - heard
      return unheard === 0 ? unplayed : [...unplayed, `The reader of the audio never got ${unheard} pieces.`]
    }
  }
}

export const audio: Law = both(
  "Audio",
  "The model's audio is played once and in order, until it is cut or the user interrupts. Nothing of it is played after that. The reader of the audio gets all of it, or is told how much it missed.",
  (scene) => listen(scene).see,
  (observation) => {
    if (!observation.survived) return []
    const listening = listen(observation)
    for (const moment of observation.timeline) listening.see(moment)
    return listening.left()
  }
)
