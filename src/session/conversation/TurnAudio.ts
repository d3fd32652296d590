import * as Either from "effect/Either"
import { decodeBase64, encodeBase64 } from "../../audio/Base64.js"
import { bytesPerSecond, decode, encode, sampleRate } from "../../audio/Format.js"
import { resample } from "../../audio/Resampler.js"
import type { Recording } from "../../Conversation.js"
import type { TurnAudioKept } from "../../journal/Record.js"
import type { Slice, Turn } from "../../machine/InputStream.js"
import { Recordings } from "../../machine/Recordings.js"
import type { AudioFormat } from "../../protocol/SessionConfig.js"
import type { Parts } from "../Parts.js"
import type { Creation } from "./Creation.js"

/** 8 MiB: about 3 minutes of the user's speech in 16-bit PCM at 24,000 samples per second, or 17 minutes in G.711. */
export const defaultMaxBytes = 8 * 1024 * 1024

/** The audio of a part. */
type Sound = Extract<Recording, { readonly _tag: "Kept" }>

/**
 * The audio of the user's turns without a transcript, which another connection is sent in place of the words. There is
 * a limit for all of it together; the oldest audio gives way, and that is published. If the application chose so, the
 * journal has it too, so that another process can send it.
 */
export class TurnAudio {
  readonly #session: Parts

  /** The parts that are in the journal: this process chose so, or the previous one. */
  readonly #written = new Set<string>()
  readonly #recordings: Recordings

  constructor(session: Parts) {
    this.#session = session
    this.#recordings = new Recordings(
      session.options.turnAudio.maxBytes,
      () => undefined,
      (itemId, contentIndex, bytes, format) => {
        if (this.#written.delete(keyOf(itemId, contentIndex))) session.recorder.turnAudioDropped(itemId, contentIndex)
        session.outbox.publish({ _tag: "TurnAudioDropped", itemId, seconds: bytes / bytesPerSecond(format) })
      }
    )
  }

  /** The server made this item from what it heard. */
  heard(itemId: string, turn: Turn): void {
    if (turn._tag === "Gone") {
      this.#session.outbox.publish({ _tag: "TurnAudioDropped", itemId, seconds: turn.seconds })
    } else this.#keepSlices(itemId, turn.slices)
  }

  keep(itemId: string, contentIndex: number, bytes: Uint8Array, format: AudioFormat): void {
    if (bytes.length === 0 || !this.#lacks(itemId, contentIndex)) return
    this.#recordings.add(itemId, contentIndex, bytes, format)
    if (this.#session.options.turnAudio.journal) this.#write(itemId, contentIndex)
  }

  /** An event of the session contains audio without its words. */
  sent(event: Creation): void {
    const { item } = event
    if (item.type !== "message" || item.role !== "user" || item.id === undefined) return
    for (const [index, part] of item.content.entries()) {
      if (part.type !== "input_audio" || part.audio === undefined || (part.transcript ?? "") !== "") continue
      const bytes = decodeBase64(part.audio)
      if (Either.isRight(bytes)) this.keep(item.id, index, bytes.right, this.#format)
    }
  }

  /** The words are known, and replace the audio. An empty transcript does not replace it. */
  transcribed(itemId: string, contentIndex: number, transcript: string): void {
    if (transcript.trim() === "") return
    this.#recordings.forgetPart(itemId, contentIndex)
    this.#written.delete(keyOf(itemId, contentIndex))
  }

  forget(itemId: string): void {
    const parts = Array.from(this.#recordings.partsOf(itemId))
    const written = parts.filter((index) => this.#written.delete(keyOf(itemId, index)))
    this.#recordings.forget(itemId)
    if (written.length > 0) this.#session.recorder.turnAudioDropped(itemId)
  }

  /** The audio that another process kept, the oldest first. */
  load(kept: ReadonlyArray<TurnAudioKept>): void {
    for (const { audio, contentIndex, format, itemId } of kept) {
      const bytes = decodeBase64(audio)
      if (Either.isLeft(bytes)) continue
      this.#written.add(keyOf(itemId, contentIndex))
      this.#recordings.add(itemId, contentIndex, bytes.right, format)
    }
  }

  rename(from: string, to: string): void {
    this.#recordings.rename(from, to)
    for (const contentIndex of this.#recordings.partsOf(to)) {
      const wasWritten = this.#written.delete(keyOf(from, contentIndex))
      if (this.#session.options.turnAudio.journal || wasWritten) this.#write(to, contentIndex)
    }
  }

  get(itemId: string, contentIndex: number): Sound | undefined {
    return this.#session.connections.traits.spokenItems === "refused" ? undefined : this.#kept(itemId, contentIndex)
  }

  /** In the session's current audio format, as base64. */
  told(itemId: string, contentIndex: number): string | undefined {
    const recording = this.get(itemId, contentIndex)
    return recording === undefined ? undefined : encodeBase64(converted(recording, this.#format))
  }

  #kept(itemId: string, contentIndex: number): Sound | undefined {
    const recording = this.#recordings.get(itemId, contentIndex)
    return recording?._tag === "Kept" ? recording : undefined
  }

  /** The current input format. */
  get #format(): AudioFormat {
    return this.#session.configuration.inputFormat()
  }

  /** A server does not create an item twice. */
  #lacks(itemId: string, contentIndex: number): boolean {
    return this.#session.options.turnAudio.maxBytes > 0 && this.#kept(itemId, contentIndex) === undefined
  }

  #keepSlices(itemId: string, slices: ReadonlyArray<Slice>): void {
    const [first] = slices
    if (first === undefined || !this.#lacks(itemId, 0)) return
    const bytes = new Uint8Array(slices.reduce((length, { from, to }) => length + to - from, 0))
    let at = 0
    for (const { from, piece, to } of slices) {
      const decoded = Either.getOrElse(decodeBase64(piece.audio), () => new Uint8Array())
      bytes.set(decoded.subarray(from, to), at)
      at += to - from
    }
    this.#recordings.add(itemId, 0, bytes, first.piece.format)
    if (this.#session.options.turnAudio.journal) this.#write(itemId, 0)
  }

  #write(itemId: string, contentIndex: number): void {
    const recording = this.#kept(itemId, contentIndex)
    if (recording === undefined) return
    const { bytes, format } = recording
    this.#written.add(keyOf(itemId, contentIndex))
    this.#session.recorder.turnAudio({ itemId, contentIndex, format, audio: encodeBase64(bytes) })
  }
}

const keyOf = (itemId: string, contentIndex: number): string => `${contentIndex} ${itemId}`

/** The next connection may use another format. */
const converted = ({ bytes, format }: Sound, to: AudioFormat): Uint8Array => {
  if (format.type === to.type) return bytes
  const samples = Either.getOrElse(decode(format, bytes), () => new Int16Array())
  const [from, rate] = [sampleRate(format), sampleRate(to)]
  return encode(to, from === rate ? samples : resample(samples, from, rate))
}
