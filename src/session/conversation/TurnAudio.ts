import * as Either from "effect/Either"
import { decodeBase64, encodeBase64 } from "../../audio/Base64.js"
import { bytesPerSecond, decode, encode, sampleRate } from "../../audio/Format.js"
import { resample } from "../../audio/Resampler.js"
import type { Recording } from "../../Conversation.js"
import type { TurnAudioKept } from "../../journal/Record.js"
import type { Slice, Turn } from "../../machine/InputStream.js"
import * as Recordings from "../../machine/Recordings.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { AudioFormat } from "../../protocol/SessionConfig.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Recorder } from "../Recorder.js"

/**
 * The audio of the user's turns that have no transcript: what another connection is told in place of the words. Bounded
 * all together; the oldest give way, and that is published. Where the session chose so, the journal has it too, so that
 * another process tells it.
 */
export interface TurnAudio {
  /** The server made this item of what it heard. */
  readonly heard: (itemId: string, turn: Turn) => void
  readonly keep: (itemId: string, contentIndex: number, bytes: Uint8Array, format: AudioFormat) => void
  /** An event of ours brings audio without its words. */
  readonly sent: (event: ClientEvent) => void
  /** Its words are known: they are told in place of the audio. Words of nothing at all replace nothing. */
  readonly transcribed: (itemId: string, contentIndex: number, transcript: string) => void
  readonly forget: (itemId: string) => void
  /** What another process kept, the oldest first. */
  readonly load: (kept: ReadonlyArray<TurnAudioKept>) => void
  readonly rename: (from: string, to: string) => void
  readonly get: (itemId: string, contentIndex: number) => Extract<Recording, { readonly _tag: "Kept" }> | undefined
  /** As the session sends audio now: base64. */
  readonly told: (itemId: string, contentIndex: number) => string | undefined
}

export interface Environment {
  readonly publish: (event: SessionEvent<never>) => void
  /** What the server hears now. */
  readonly format: () => AudioFormat
  /** 0: nothing is kept. */
  readonly maxBytes: number
  readonly recorder: Pick<Recorder, "turnAudio" | "turnAudioDropped">
  /** Whether the journal has it too. */
  readonly isWritten: boolean
}

/** 8 MiB: about three minutes of the user's speech in 16 bit PCM at 24,000 samples a second, 17 in G.711. */
export const defaultMaxBytes = 8 * 1024 * 1024

export const make = ({ format, isWritten, maxBytes, publish, recorder }: Environment): TurnAudio => {
  /** The parts that the journal has: this process chose so, or the one before. */
  const written = new Set<string>()
  const recordings = Recordings.make(
    maxBytes,
    () => undefined,
    (itemId, contentIndex, bytes, format) => {
      if (written.delete(keyOf(itemId, contentIndex))) recorder.turnAudioDropped(itemId, contentIndex)
      publish({ _tag: "TurnAudioDropped", itemId, seconds: bytes / bytesPerSecond(format) })
    }
  )

  const get: TurnAudio["get"] = (itemId, contentIndex) => {
    const recording = recordings.get(itemId, contentIndex)
    return recording?._tag === "Kept" ? recording : undefined
  }

  const write = (itemId: string, contentIndex: number): void => {
    const recording = get(itemId, contentIndex)
    if (recording === undefined) return
    written.add(keyOf(itemId, contentIndex))
    recorder.turnAudio({ itemId, contentIndex, format: recording.format, audio: encodeBase64(recording.bytes) })
  }

  const keepSlices = (itemId: string, slices: ReadonlyArray<Slice>): void => {
    const [first] = slices
    // A server does not make an item twice.
    if (first === undefined || maxBytes === 0 || get(itemId, 0) !== undefined) return
    const bytes = new Uint8Array(slices.reduce((length, { from, to }) => length + to - from, 0))
    let at = 0
    for (const { from, piece, to } of slices) {
      const decoded = Either.getOrElse(decodeBase64(piece.audio), () => new Uint8Array())
      bytes.set(decoded.subarray(from, to), at)
      at += to - from
    }
    recordings.add(itemId, 0, bytes, first.piece.format)
    if (isWritten) write(itemId, 0)
  }

  const keep: TurnAudio["keep"] = (itemId, contentIndex, bytes, format) => {
    if (maxBytes === 0 || bytes.length === 0 || get(itemId, contentIndex) !== undefined) return
    recordings.add(itemId, contentIndex, bytes, format)
    if (isWritten) write(itemId, contentIndex)
  }

  return {
    keep,
    heard: (itemId, turn) => {
      if (turn._tag === "Gone") publish({ _tag: "TurnAudioDropped", itemId, seconds: turn.seconds })
      else keepSlices(itemId, turn.slices)
    },
    sent: (event) => {
      if (event.type !== "conversation.item.create") return
      const { item } = event
      if (item.type !== "message" || item.role !== "user" || item.id === undefined) return
      for (const [index, part] of item.content.entries()) {
        if (part.type !== "input_audio" || part.audio === undefined || (part.transcript ?? "") !== "") continue
        const bytes = decodeBase64(part.audio)
        if (Either.isRight(bytes)) keep(item.id, index, bytes.right, format())
      }
    },
    transcribed: (itemId, contentIndex, transcript) => {
      if (transcript.trim() === "") return
      recordings.forgetPart(itemId, contentIndex)
      written.delete(keyOf(itemId, contentIndex))
    },
    forget: (itemId) => {
      const wasWritten = Array.from(recordings.partsOf(itemId)).filter((index) => written.delete(keyOf(itemId, index)))
      recordings.forget(itemId)
      if (wasWritten.length > 0) recorder.turnAudioDropped(itemId)
    },
    load: (kept) => {
      for (const { audio, contentIndex, format, itemId } of kept) {
        const bytes = decodeBase64(audio)
        if (Either.isLeft(bytes)) continue
        written.add(keyOf(itemId, contentIndex))
        recordings.add(itemId, contentIndex, bytes.right, format)
      }
    },
    rename: (from, to) => {
      recordings.rename(from, to)
      for (const contentIndex of recordings.partsOf(to)) {
        const wasWritten = written.delete(keyOf(from, contentIndex))
        if (isWritten || wasWritten) write(to, contentIndex)
      }
    },
    get,
    told: (itemId, contentIndex) => {
      const recording = get(itemId, contentIndex)
      return recording === undefined ? undefined : encodeBase64(converted(recording, format()))
    }
  }
}

const keyOf = (itemId: string, contentIndex: number): string => `${contentIndex} ${itemId}`

/** The next connection may hear in another format. */
const converted = ({ bytes, format }: Extract<Recording, { readonly _tag: "Kept" }>, to: AudioFormat): Uint8Array => {
  if (format.type === to.type) return bytes
  const samples = Either.getOrElse(decode(format, bytes), () => new Int16Array())
  const [from, rate] = [sampleRate(format), sampleRate(to)]
  return encode(to, from === rate ? samples : resample(samples, from, rate))
}
