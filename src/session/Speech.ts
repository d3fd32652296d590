import * as Either from "effect/Either"
import { decodeBase64 } from "../audio/Base64.js"
import { bytesPerSecond } from "../audio/Format.js"
import * as Playback from "../machine/Playback.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { ResponseOutputAudioDelta } from "../protocol/ResponseEvent.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"

/** What the model says aloud: on to the application, and back to the server how much of it was heard. */
export interface Speech {
  readonly responseCreated: (responseId: string, outOfBand: boolean) => void
  readonly audio: (event: ResponseOutputAudioDelta) => void
  readonly audioDone: (at: Playback.Position) => void
  readonly responseDone: (responseId: string) => void
  /** Nothing more of this response is to be heard. Whether anything was left to hear. */
  readonly cancelled: (responseId: string) => boolean
  /** The user interrupted: what was not heard yet is cut, here and in the server's conversation. */
  readonly interrupt: () => void
  readonly reported: (itemId: string, contentIndex: number, report: Playback.Report) => void
  /** What is left to hear is played on, but the next conversation has none of it. */
  readonly disconnected: () => void
  /** Whether something is left to hear. */
  readonly isPlaying: () => boolean
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
  /** Audio that is to be heard came, in this format; no more comes; or no more than this was heard. */
  readonly record: (at: Playback.Position, bytes: Uint8Array, format: AudioFormat) => void
  readonly recorded: (at: Playback.Position) => void
  readonly cut: (itemId: string, contentIndex: number, heardMs: number) => void
  /** Whether this response is beside the conversation. */
  readonly isOutOfBand: (responseId: string) => boolean
  /** What the server speaks now. */
  readonly format: () => AudioFormat
}

export const make = (env: Environment): Speech => {
  const playback = Playback.make()
  let hasSpoken = false

  const truncate = (truncations: ReadonlyArray<Playback.Truncation>): void => {
    for (const { contentIndex, heardMs, inConversation, itemId, responseId } of truncations) {
      env.cut(itemId, contentIndex, heardMs)
      env.publish({ _tag: "AudioInterrupted", responseId, itemId, contentIndex, heardMs })
      if (!inConversation) continue
      env.send({
        type: "conversation.item.truncate",
        event_id: env.newId("trc"),
        item_id: itemId,
        content_index: contentIndex,
        audio_end_ms: heardMs
      })
    }
  }

  return {
    responseCreated: playback.responseCreated,
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
      if (!playback.received(event, chunk.length, bytesPerSecond(format), env.now())) return
      env.record(event, chunk, format)
      const { content_index: contentIndex, item_id: itemId, response_id: responseId } = event
      env.play({ responseId, itemId, contentIndex, outOfBand: env.isOutOfBand(responseId), bytes: chunk })
    },
    audioDone: (at) => {
      playback.audioDone(at)
      env.recorded(at)
    },
    responseDone: playback.responseDone,
    cancelled: (responseId) => {
      const truncations = playback.cancelled(responseId, env.now())
      truncate(truncations)
      return truncations.length > 0
    },
    interrupt: () => truncate(playback.interrupted(env.now())),
    reported: (itemId, contentIndex, report) => playback.reported(itemId, contentIndex, report, env.now()),
    disconnected: playback.connectionReplaced,
    isPlaying: () => playback.isPlaying(env.now()),
    accepts: playback.accepts,
    hasSpoken: () => hasSpoken
  }
}
