/**
 * Tracks how much of each audio item was received, and how much the user has heard. Audio is generated faster than it
 * is played, so an interruption must cut items that the server has already completed.
 *
 * There are two sources for what was heard. If the application reports an item, its report counts until the next one.
 * Otherwise, a simulated speaker counts: it plays items one after another in the order in which they began, each at its
 * own rate. It waits while it has nothing to play, and does not catch up later. It does not wait for an item that is
 * still being generated while another one has audio: later audio of the first item is played after that.
 *
 * Audio of out-of-band responses is played and interrupted like any other, but the server has no item to truncate.
 */

import { forgetOldest } from "../common/forgetOldest.js"
import type { ResponseOutputAudioDelta } from "../protocol/ResponseEvent.js"
import type { Extent } from "./Alignment.js"

/** The position of audio, as in the protocol: an event can be passed unchanged, so that a delta allocates nothing. */
export type Position = Pick<ResponseOutputAudioDelta, "response_id" | "item_id" | "content_index">

/** A report from the application's speaker. `heardMs` counts from the start of the audio, not from the last report. */
export type Report = { readonly _tag: "Heard"; readonly heardMs: number } | { readonly _tag: "Finished" }

/** The player must drop the rest of this audio. */
export interface Truncation {
  readonly responseId: string
  readonly itemId: string
  readonly contentIndex: number
  /** Whole milliseconds, at most what was received: the server refuses to cut after the end. */
  readonly heardMs: number
  /** Whether the server has the item in its conversation, so that `conversation.item.truncate` must be sent. */
  readonly inConversation: boolean
}

interface Response {
  readonly responseId: string
  inConversation: boolean
  /** `Refused`: it was interrupted or cancelled, and nothing more of it may be heard. */
  state: "Live" | "Done" | "Refused"
  /** Whether the server, where it plays by itself, has audio of this response left to play. */
  isBuffered: boolean
}

/** One audio part of an item. */
interface Track {
  readonly response: Response
  readonly itemId: string
  readonly contentIndex: number
  readonly bytesPerSecond: number
  bytes: number
  heardMs: number
  clock: "Estimated" | "Reported"
  state: "Generating" | "Complete" | "Stopped"
  /** Whether all audio arrived, as opposed to a part that was stopped or lost its connection. */
  isWhole: boolean
}

/** How many parts and how many responses are remembered. */
const maxRemembered = 64

/** In milliseconds: shorter than a sample, and more than rounding errors add up to. */
const dust = 1e-6

/** All times are in milliseconds, on the clock of the `now` parameters. */
export class Playback {
  readonly #responses = new Map<string, Response>()
  /** In the order in which they began. */
  readonly #tracks = new Set<Track>()
  readonly #items = new Map<string, Map<number, Track>>()
  /** Everything that has audio left to hear, in playback order. */
  #queue: Array<Track> = []
  #playedUntil = 0

  responseCreated(responseId: string, outOfBand: boolean): void {
    this.#respond(responseId, !outOfBand)
  }

  /**
   * Audio arrived. Returns whether to play it: `false` if its response was interrupted or cancelled.
   *
   * `bytes`: after base64. `bytesPerSecond`: of the current output format, 48,000 for PCM at 24 kHz and 8,000 for
   * G.711; an item keeps the format of its first audio.
   */
  received(at: Position, bytes: number, bytesPerSecond: number, now: number): boolean {
    const known = this.#items.get(at.item_id)?.get(at.content_index)
    const response = known?.response ?? this.#responses.get(at.response_id)
    if (response?.state === "Refused" || known?.state === "Stopped") return false
    if (bytes <= 0) return true
    this.#advance(now)
    const track = known ?? this.#begin(at, bytesPerSecond)
    if (unheardMs(track) <= 0) this.#queue.push(track)
    track.bytes += bytes
    return true
  }

  /**
   * Audio arrived that must not be played. If nothing of the part was played, the server keeps the part until it is
   * cut, once.
   */
  dropped(at: Position, bytesPerSecond: number): Truncation | undefined {
    if (this.#items.get(at.item_id)?.has(at.content_index)) return undefined
    const track = this.#begin(at, bytesPerSecond)
    track.state = "Stopped"
    return truncationOf(track)
  }

  /** The server has audio of this response, which it plays by itself. */
  buffered(responseId: string): void {
    const response = this.#respond(responseId, true)
    if (response.state !== "Refused") response.isBuffered = true
  }

  /** The server has played its audio of this response to the end, or dropped the rest. */
  unbuffered(responseId: string): void {
    const response = this.#responses.get(responseId)
    if (response !== undefined) response.isBuffered = false
  }

  /** Whether the server may have audio of one of these responses to play, now or soon. */
  mayBeBuffered(isMeant: (responseId: string) => boolean): boolean {
    for (const { isBuffered, responseId, state } of this.#responses.values()) {
      if ((isBuffered || state === "Live") && isMeant(responseId)) return true
    }
    return false
  }

  /** Whether the server has audio of this response left to play. */
  isBuffered(responseId: string): boolean {
    return this.#responses.get(responseId)?.isBuffered === true
  }

  /** The audio of this part is complete. */
  audioDone(at: Position): void {
    const track = this.#items.get(at.item_id)?.get(at.content_index)
    if (track !== undefined) this.#complete(track)
  }

  /** The audio of this response is complete; what arrived is still played. */
  responseDone(responseId: string): void {
    const response = this.#responses.get(responseId)
    if (response?.state === "Live") response.state = "Done"
    for (const track of this.#tracks) {
      if (track.response.responseId === responseId) this.#complete(track)
    }
  }

  /**
   * The application reports how much of a part was heard. After the first report, only reports count for this part. The
   * application must report `Finished` at its end, or report a later item, which ends this one.
   */
  reported(itemId: string, contentIndex: number, report: Report, now: number): void {
    const track = this.#items.get(itemId)?.get(contentIndex)
    if (track === undefined || track.state === "Stopped") return
    if (report._tag === "Heard" && Number.isNaN(report.heardMs)) return
    this.#advance(now)
    const received = receivedMs(track)
    const before = track.clock === "Reported" ? track.heardMs : 0
    // The last whole millisecond counts as the end: an application that counts in whole milliseconds would never reach
    // the exact end.
    const isAtEnd = report._tag === "Finished" || report.heardMs >= Math.floor(received)
    track.clock = "Reported"
    track.heardMs = isAtEnd ? received : Math.max(before, report.heardMs)
    this.#alignOthers(track)
    this.#queueAgain()
  }

  /** Nothing more of this response may be heard. */
  cancelled(responseId: string, now: number): ReadonlyArray<Truncation> {
    this.#advance(now)
    this.#respond(responseId, true).state = "Refused"
    return this.#stop((track) => track.response.responseId === responseId)
  }

  /**
   * Nothing more of what began before may be heard: neither received audio, nor later audio of live responses in the
   * conversation. `isMeant`: limits this to some of these responses.
   */
  interrupted(now: number, isMeant: (responseId: string) => boolean = () => true): ReadonlyArray<Truncation> {
    this.#advance(now)
    for (const response of this.#responses.values()) {
      if (response.state === "Live" && response.inConversation && isMeant(response.responseId)) {
        response.state = "Refused"
      }
    }
    return this.#stop(({ response }) => isMeant(response.responseId))
  }

  /** The server has cut this part: the rest may not be heard. Returns its response, if any audio was left. */
  truncated(itemId: string, contentIndex: number, now: number): string | undefined {
    this.#advance(now)
    const track = this.#items.get(itemId)?.get(contentIndex)
    if (track === undefined || isOver(track)) return undefined
    track.state = "Stopped"
    this.#queueAgain()
    return track.response.responseId
  }

  /** The remaining audio is still played, but the new conversation has none of these items. */
  connectionReplaced(): void {
    for (const response of this.#responses.values()) {
      response.inConversation = false
      // Its end may be missed.
      response.isBuffered = false
      if (response.state === "Live") response.state = "Done"
    }
    for (const track of this.#tracks) {
      track.response.inConversation = false
      if (track.state === "Generating") track.state = "Complete"
    }
  }

  /** Whether this response is in progress, and was not stopped. */
  isLive(responseId: string): boolean {
    return this.#responses.get(responseId)?.state === "Live"
  }

  /** Whether the audio of this response should still be played. */
  accepts(responseId: string): boolean {
    return this.#responses.get(responseId)?.state !== "Refused"
  }

  /** How much audio a part has; `undefined` if it never had any, or is forgotten. */
  extent(itemId: string, contentIndex: number): Extent | undefined {
    const track = this.#items.get(itemId)?.get(contentIndex)
    return track === undefined ? undefined : extentOf(track)
  }

  /** The parts with audio that is left to cut or still to come, in the order in which they began. */
  unheard(now: number): ReadonlyArray<Extent & { readonly itemId: string; readonly contentIndex: number }> {
    this.#advance(now)
    return Array.from(this.#tracks).flatMap((track) =>
      isOver(track) ? [] : { itemId: track.itemId, contentIndex: track.contentIndex, ...extentOf(track) }
    )
  }

  /** Whether nothing of a part is left to cut. */
  isOver(itemId: string, contentIndex: number): boolean {
    const track = this.#items.get(itemId)?.get(contentIndex)
    return track !== undefined && isOver(track)
  }

  /** `undefined` for a part that never had audio, or is forgotten. */
  heardMs(itemId: string, contentIndex: number, now: number): number | undefined {
    this.#advance(now)
    return this.#items.get(itemId)?.get(contentIndex)?.heardMs
  }

  isPlaying(now: number): boolean {
    this.#advance(now)
    if (this.#queue.length > 0) return true
    for (const { isBuffered } of this.#responses.values()) if (isBuffered) return true
    return false
  }

  /** When all received audio will have been heard, if no more comes; absent if nothing is left to hear. */
  endsAt(now: number): number | undefined {
    this.#advance(now)
    if (this.#queue.length === 0) return undefined
    return now + Math.ceil(this.#queue.reduce((sum, track) => sum + unheardMs(track), 0) - dust)
  }

  /** Advances the speaker to `now`. A clock that was set back continues from there. */
  #advance(now: number): void {
    let left = Math.max(0, now - this.#playedUntil)
    this.#playedUntil = now
    for (let track = this.#queue[0]; track !== undefined; track = this.#queue[0]) {
      const unheard = unheardMs(track)
      if (unheard > 0) {
        if (track.clock === "Reported") return
        if (left + dust < unheard) {
          track.heardMs += left
          return
        }
        left = Math.max(0, left - unheard)
        track.heardMs = receivedMs(track)
      }
      this.#queue.shift()
    }
  }

  #queueAgain(): void {
    this.#queue = Array.from(this.#tracks).filter((track) => track.state !== "Stopped" && unheardMs(track) > 0)
  }

  #respond(responseId: string, inConversation: boolean): Response {
    const known = this.#responses.get(responseId)
    if (known !== undefined) return known
    const response: Response = { responseId, inConversation, state: "Live", isBuffered: false }
    this.#responses.set(responseId, response)
    forgetOldest(this.#responses, maxRemembered)
    return response
  }

  #begin(at: Position, bytesPerSecond: number): Track {
    // Servers announce their responses, but audio of an unannounced response is also played.
    const response = this.#respond(at.response_id, true)
    const track: Track = {
      response,
      itemId: at.item_id,
      contentIndex: at.content_index,
      bytesPerSecond,
      bytes: 0,
      heardMs: 0,
      clock: "Estimated",
      state: "Generating",
      isWhole: false
    }
    if (this.#tracks.size >= maxRemembered) this.#forgetOne()
    this.#tracks.add(track)
    const parts = this.#items.get(track.itemId)
    if (parts === undefined) this.#items.set(track.itemId, new Map([[track.contentIndex, track]]))
    else parts.set(track.contentIndex, track)
    return track
  }

  /**
   * Forgets the oldest part that is over. If all are still to be heard, forgets the oldest, which is then never
   * truncated.
   */
  #forgetOne(): void {
    let forgotten: Track | undefined
    for (const track of this.#tracks) {
      forgotten ??= track
      if (!isOver(track)) continue
      forgotten = track
      break
    }
    if (forgotten === undefined) return
    this.#tracks.delete(forgotten)
    const parts = this.#items.get(forgotten.itemId)
    parts?.delete(forgotten.contentIndex)
    if (parts?.size === 0) this.#items.delete(forgotten.itemId)
    this.#queue = this.#queue.filter((track) => track !== forgotten)
  }

  /**
   * Items are played one after another: items before one that is being heard are over, and items after it have not
   * begun.
   */
  #alignOthers(reported: Track): void {
    let isBefore = true
    for (const track of this.#tracks) {
      if (track === reported) isBefore = false
      else if (track.state === "Stopped") continue
      else if (isBefore) {
        if (reported.heardMs > 0 && track.state === "Complete") track.heardMs = receivedMs(track)
      } else if (track.clock === "Estimated" && unheardMs(reported) > 0) track.heardMs = 0
    }
  }

  #complete(track: Track): void {
    if (track.state !== "Generating") return
    track.state = "Complete"
    track.isWhole = true
  }

  #stop(isMeant: (track: Track) => boolean): ReadonlyArray<Truncation> {
    const truncations: Array<Truncation> = []
    for (const track of this.#tracks) {
      if (track.state === "Stopped" || !isMeant(track)) continue
      const isCut = !isOver(track)
      track.state = "Stopped"
      track.response.state = "Refused"
      if (isCut) truncations.push(truncationOf(track))
    }
    this.#queueAgain()
    return truncations
  }
}

/** Computed from the total of bytes, so that rounding errors do not add up over many deltas. */
const receivedMs = ({ bytes, bytesPerSecond }: Track): number => (bytes * 1000) / bytesPerSecond

const extentOf = (track: Track): Extent => ({
  heardMs: track.heardMs,
  receivedMs: receivedMs(track),
  isComplete: track.isWhole
})

const unheardMs = (track: Track): number => receivedMs(track) - track.heardMs

/** A server refuses to cut after the end. */
export const wholeMs = (ms: number): number => Math.floor(ms + dust)

const truncationOf = ({ contentIndex, heardMs, itemId, response }: Track): Truncation => {
  const { inConversation, responseId } = response
  return { responseId, itemId, contentIndex, heardMs: wholeMs(heardMs), inConversation }
}

/**
 * Whether nothing is left to cut: heard to the end, except for less than the millisecond that a truncation counts in.
 */
const isOver = (track: Track): boolean =>
  track.state === "Stopped" || (track.state === "Complete" && wholeMs(track.heardMs) >= Math.floor(receivedMs(track)))
