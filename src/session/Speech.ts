import * as Either from "effect/Either"
import { decodeBase64 } from "../audio/Base64.js"
import { bytesOf, bytesPerSecond } from "../audio/Format.js"
import * as Alignment from "../machine/Alignment.js"
import type { Heard } from "../machine/cuts.js"
import * as Playback from "../machine/Playback.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ResponseOutputAudioDelta } from "../protocol/ResponseEvent.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import { type Cuts, truncation } from "./conversation/Cuts.js"

/** What the model says aloud: on to the application, and back to the server how much of it was heard. */
export interface Speech {
  readonly responseCreated: (responseId: string, outOfBand: boolean) => void
  readonly audio: (event: ResponseOutputAudioDelta) => void
  /** More words of that audio. */
  readonly words: (at: Playback.Position, delta: string) => void
  readonly audioDone: (at: Playback.Position) => void
  readonly responseDone: (responseId: string) => void
  /**
   * Nothing more of this response is to be heard. Whether anything was left to hear. `blockedBy`: the guardrail that
   * wants it so, also of a text that `stands`.
   */
  readonly cancelled: (responseId: string, blockedBy?: string, stands?: boolean) => boolean
  /** The user interrupted: what was not heard yet is cut, here and in the server's conversation. */
  readonly interrupt: (blockedBy?: string) => void
  readonly reported: (itemId: string, contentIndex: number, report: Playback.Report) => void
  /** The server has cut a part of an item, whoever asked for it. */
  readonly truncated: (itemId: string, contentIndex: number, endMs: number) => void
  /** This part ended before it was complete, or was lost: words whose sound will not come are never heard. */
  readonly cutShort: (itemId: string, contentIndex: number, how: "Ended" | "Lost") => void
  /** What is left to hear is played on, but the next conversation has none of it. */
  readonly disconnected: () => void
  /** Whether something is left to hear. */
  readonly isPlaying: () => boolean
  /** The parts that are not heard to their end, and how much of each was. */
  readonly unheard: () => ReadonlyArray<{
    readonly itemId: string
    readonly contentIndex: number
    readonly heard: Pick<Heard, "heardMs" | "length">
  }>
  /** Whether sound of this part came, however long ago. */
  readonly hasSound: (itemId: string, contentIndex: number) => boolean
  /** When everything that came will be heard, if nothing more comes; absent if nothing is left to hear. */
  readonly endsAt: () => number | undefined
  /** Whether what this response says is still to be heard. */
  readonly accepts: (responseId: string) => boolean
  readonly hasSpoken: () => boolean
}

export interface Environment {
  readonly now: () => number
  readonly newId: (prefix: string) => string
  readonly send: (event: ClientEvent) => void
  readonly publish: (event: SessionEvent<never>) => void
  readonly play: (chunk: AudioChunk) => void
  /** More is to be heard, or it is known how much was. */
  readonly goesOn: () => void
  /** Nobody wants more of what was said. */
  readonly settled: () => void
  /** Audio that is to be heard came, in this format; or no more comes. */
  readonly record: (at: Playback.Position, bytes: Uint8Array, format: AudioFormat) => void
  readonly recorded: (at: Playback.Position) => void
  readonly cuts: Pick<Cuts, "cut" | "stop">
  /** Whether this response is beside the conversation. */
  readonly isOutOfBand: (responseId: string) => boolean
  /** What the server speaks now. */
  readonly format: () => AudioFormat
}

export const make = (env: Environment): Speech => {
  const playback = Playback.make()
  const alignment = Alignment.make()
  let hasSpoken = false

  const isStopped = (responseId: string): boolean => !playback.accepts(responseId)
  const hasSound = (itemId: string, contentIndex: number): boolean =>
    playback.extent(itemId, contentIndex) !== undefined

  const cut = (itemId: string, contentIndex: number, extent: Alignment.Extent): void => {
    const { heardMs } = extent
    env.cuts.cut(itemId, contentIndex, {
      heardMs,
      length: (length) => alignment.heard(itemId, contentIndex, length, extent),
      bytes: (format) => bytesOf(format, heardMs)
    })
  }

  const ofOver = (itemId: string, contentIndex: number): Alignment.Extent | undefined =>
    playback.isOver(itemId, contentIndex) ? playback.extent(itemId, contentIndex) : undefined

  /** So much was heard of what there is. */
  const heard = (itemId: string, contentIndex: number, heardMs: number): Alignment.Extent => {
    // Without any sound here, it was played elsewhere.
    const extent = playback.extent(itemId, contentIndex) ?? { receivedMs: heardMs, isComplete: false }
    return { ...extent, heardMs }
  }

  /** What is left of a part, here and in the server's conversation. */
  const cutThere = (at: Playback.Truncation): void => {
    const { contentIndex, heardMs, inConversation, itemId } = at
    cut(itemId, contentIndex, heard(itemId, contentIndex, heardMs))
    if (inConversation) env.send(truncation(env.newId("trc"), at))
  }

  const truncate = (truncations: ReadonlyArray<Playback.Truncation>, blockedBy: string | undefined): void => {
    for (const truncation of truncations) {
      const { contentIndex, heardMs, itemId, responseId } = truncation
      env.publish({ _tag: "AudioInterrupted", responseId, itemId, contentIndex, heardMs })
      cutThere(truncation)
    }
    env.cuts.stop(isStopped, hasSound, blockedBy)
  }

  return {
    responseCreated: (responseId, outOfBand) => {
      alignment.forget(ofOver)
      playback.responseCreated(responseId, outOfBand)
    },
    words: ({ content_index, item_id }, delta) =>
      alignment.said(item_id, content_index, delta.length, playback.extent(item_id, content_index)?.receivedMs ?? 0),
    audio: (event) => {
      const bytes = decodeBase64(event.delta)
      if (Either.isLeft(bytes)) {
        const { message } = bytes.left
        env.publish({ _tag: "ProtocolViolation", type: event.type, message, excerpt: event.delta.slice(0, 100) })
        return
      }
      const chunk = bytes.right
      const format = env.format()
      hasSpoken = true
      if (!playback.received(event, chunk.length, bytesPerSecond(format), env.now())) {
        const dropped = chunk.length === 0 ? undefined : playback.dropped(event, bytesPerSecond(format))
        if (dropped !== undefined) cutThere(dropped)
        return
      }
      env.goesOn()
      env.record(event, chunk, format)
      const { content_index: contentIndex, item_id: itemId, response_id: responseId } = event
      env.play({ responseId, itemId, contentIndex, outOfBand: env.isOutOfBand(responseId), bytes: chunk })
    },
    audioDone: (at) => {
      playback.audioDone(at)
      env.recorded(at)
    },
    responseDone: playback.responseDone,
    cancelled: (responseId, blockedBy, stands = false) => {
      const wasLive = playback.isLive(responseId)
      const truncations = playback.cancelled(responseId, env.now())
      const wasUnheard = truncations.length > 0
      // What was heard to its end, nobody stopped.
      truncate(truncations, wasLive || wasUnheard || stands ? blockedBy : undefined)
      return wasUnheard
    },
    interrupt: (blockedBy) => {
      truncate(playback.interrupted(env.now()), blockedBy)
      env.settled()
    },
    reported: (itemId, contentIndex, report) => {
      playback.reported(itemId, contentIndex, report, env.now())
      env.goesOn()
    },
    truncated: (itemId, contentIndex, endMs) => {
      const extent = heard(itemId, contentIndex, endMs)
      const responseId = playback.truncated(itemId, contentIndex, env.now())
      // Nobody here asked for that: the player is to drop the rest.
      if (responseId !== undefined) {
        env.publish({ _tag: "AudioInterrupted", responseId, itemId, contentIndex, heardMs: endMs })
      }
      cut(itemId, contentIndex, extent)
    },
    cutShort: (itemId, contentIndex, how) => {
      const receivedMs = playback.extent(itemId, contentIndex)?.receivedMs
      // There are servers that say everything without a sound.
      if (receivedMs === undefined && how === "Ended") return
      cut(itemId, contentIndex, { heardMs: receivedMs ?? 0, receivedMs: receivedMs ?? 0, isComplete: false })
    },
    disconnected: playback.connectionReplaced,
    unheard: () =>
      playback.unheard(env.now()).map(({ contentIndex, itemId, ...all }) => {
        const extent = { ...all, heardMs: Playback.wholeMs(all.heardMs) }
        const length = (length: number): number => alignment.heard(itemId, contentIndex, length, extent)
        return { itemId, contentIndex, heard: { heardMs: extent.heardMs, length } }
      }),
    hasSound,
    endsAt: () => playback.endsAt(env.now()),
    isPlaying: () => playback.isPlaying(env.now()),
    accepts: playback.accepts,
    hasSpoken: () => hasSpoken
  }
}
