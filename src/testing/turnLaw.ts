import * as Either from "effect/Either"
import { decodeBase64 } from "../audio/Base64.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"
import { createdItem, isRecord, type Moment, type Observation } from "./Observation.js"

/** What one connection is sent of an item of the user. */
type Telling =
  | { readonly _tag: "Words" }
  | { readonly _tag: "Aloud"; readonly audio: string }
  | { readonly _tag: "Empty" }

const tellingOf = (event: ClientEvent): readonly [itemId: string, telling: Telling] | undefined => {
  const item = createdItem(event)
  if (item?.type !== "message" || item.role !== "user" || item.id === undefined) return undefined
  for (const part of item.content) {
    if (part.type === "input_audio") return [item.id, { _tag: "Aloud", audio: part.audio ?? "" }]
    if (part.type === "input_image" || part.text !== "") return [item.id, { _tag: "Words" }]
  }
  return [item.id, { _tag: "Empty" }]
}

/** A move of the session to another connection, with what that connection is sent of the turns before. */
interface Move {
  readonly at: number
  readonly omitted: ReadonlySet<string>
  readonly told: ReadonlyMap<string, Telling>
  /** The user's turns in the conversation. */
  readonly turns: ReadonlySet<string>
  /** The turns that voice detection found; the client committed all others. */
  readonly detected: ReadonlySet<string>
}

const committedItem = (event: SessionEvent): string | undefined =>
  event._tag === "ServerEventReceived" &&
  event.type === "input_audio_buffer.committed" &&
  isRecord(event.event) &&
  typeof event.event["item_id"] === "string"
    ? event.event["item_id"]
    : undefined

const movesOf = (
  timeline: ReadonlyArray<Moment>
): { readonly moves: ReadonlyArray<Move>; readonly gone: Set<string> } => {
  const turns = new Set<string>()
  const left = new Set<string>()
  /** Turns whose audio was dropped, which is published. */
  const gone = new Set<string>()
  const lost = new Set<number>()
  const detected = new Set<string>()
  const moves: Array<Move> = []
  let connection = 0
  let told = new Map<string, Telling>()
  for (const [at, moment] of timeline.entries()) {
    switch (moment._tag) {
      case "Disconnected":
        lost.add(moment.connection)
        break
      case "Sent": {
        if (moment.connection !== connection) told = new Map()
        connection = moment.connection
        const telling = tellingOf(moment.event)
        if (telling !== undefined) told.set(...telling)
        break
      }
      case "Published": {
        const { event } = moment
        const committed = committedItem(event)
        if (committed !== undefined) turns.add(committed)
        if (event._tag === "SpeechStarted" && event.itemId !== undefined) detected.add(event.itemId)
        if (event._tag === "ItemDeleted") turns.delete(event.itemId)
        if (event._tag === "TurnAudioDropped") gone.add(event.itemId)
        if (event._tag !== "Reconnected") break
        // A connection that is lost again was sent everything up to its loss.
        if (!lost.has(connection))
          moves.push({ at, omitted: new Set(event.omitted), told, turns: new Set(turns), detected })
        for (const itemId of event.omitted) left.add(itemId)
        for (const itemId of left) turns.delete(itemId)
        break
      }
    }
  }
  return { moves, gone }
}

/** One millisecond of PCM16 at 24 kHz: voice detection gives positions in whole milliseconds. */
const precisionBytes = 48

/**
 * Whether this is the audio that was heard, in base64: exactly, or moved by less than the precision of the server's
 * times. No two pieces of audio in a program are alike, so other audio does not fit at any position.
 */
export const isSameAudio = (told: string, heard: string): boolean => {
  if (told === heard) return true
  const [ours, theirs] = [decodeBase64(told), decodeBase64(heard)]
  if (Either.isLeft(ours) || Either.isLeft(theirs)) return false
  const [one, other] = [ours.right, theirs.right]
  if (Math.abs(one.length - other.length) > 2 * precisionBytes) return false
  for (let shift = -precisionBytes; shift <= precisionBytes; shift += 2) {
    const from = Math.max(0, -shift)
    const to = Math.min(one.length, other.length - shift)
    // With almost no overlap, any two would fit.
    if (to - from < Math.max(one.length, other.length) - 2 * precisionBytes || to <= from) continue
    if (one.subarray(from, to).every((byte, index) => byte === other[from + shift + index])) return true
  }
  return false
}

/** Five seconds: how much is kept of audio in which voice detection finds no speech. */
const keptSilenceBytes = 5000 * precisionBytes

/** Whether this is the end of the audio that was heard, and all that a session keeps of audio without speech. */
export const isKeptEnd = (told: string, heard: string): boolean => {
  const [ours, theirs] = [decodeBase64(told), decodeBase64(heard)]
  if (Either.isLeft(ours) || Either.isLeft(theirs)) return false
  const from = theirs.right.length - ours.right.length
  return (
    from > 0 &&
    ours.right.length >= keptSilenceBytes &&
    ours.right.every((byte, index) => byte === theirs.right[from + index])
  )
}

/** What the servers heard in the user's turns, by item: audio that the session sent. */
const heardOf = ({ connections }: Observation): ReadonlyMap<string, string> =>
  new Map(connections.flatMap(({ userAudio }) => Array.from(userAudio)).reverse())

export const turns: Law = both(
  "Turns",
  "Each turn of the user that the server had is sent on the next connection, as words or as the same audio. A turn that is not sent is listed, and has a reason.",
  () => () => [],
  (observation) => {
    // A server that keeps the conversation has the turns.
    if (observation.traits.conversation === "server") return []
    const { gone, moves } = movesOf(observation.timeline)
    const heard = heardOf(observation)
    return moves.flatMap(({ at, detected, omitted, told, turns }) =>
      Array.from(turns).flatMap((itemId) => {
        const telling = told.get(itemId)
        const audio = heard.get(itemId)
        const violation = (message: string) => [{ message, moment: at }]
        if (omitted.has(itemId)) {
          return audio === undefined || gone.has(itemId) || observation.traits.spokenItems === "refused"
            ? []
            : violation(`${itemId} was left out, although it was heard.`)
        }
        if (telling === undefined || telling._tag === "Empty")
          return violation(`${itemId} was left out, but not listed.`)
        if (telling._tag === "Words") return []
        const isTold =
          audio !== undefined &&
          (isSameAudio(telling.audio, audio) || (!detected.has(itemId) && isKeptEnd(telling.audio, audio)))
        return isTold ? [] : violation(`${itemId} was sent as different audio.`)
      })
    )
  }
)
