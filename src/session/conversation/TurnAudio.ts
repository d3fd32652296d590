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
import type { Creation } from "./Edits.js"

/** 8 MiB: about three minutes of the user's speech in 16 bit PCM at 24,000 samples a second, 17 in G.711. */
export const defaultMaxBytes = 8 * 1024 * 1024

/** The sound of a part. */
type Sound = Extract<Recording, { readonly _tag: "Kept" }>

/**
 * The audio of the user's turns that have no transcript: what another connection is told in place of the words. Bounded
 * all together; the oldest give way, and that is published. Where the session chose so, the journal has it too, so that
 * another process tells it.
 */
export class TurnAudio {
  readonly #session: Parts

  /** The parts that the journal has: this process chose so, or the one before. */
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

  /** The server made this item of what it heard. */
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

  /** An event of ours brings audio without its words. */
  sent(event: Creation): void {
    const { item } = event
    if (item.type !== "message" || item.role !== "user" || item.id === undefined) return
    for (const [index, part] of item.content.entries()) {
      if (part.type !== "input_audio" || part.audio === undefined || (part.transcript ?? "") !== "") continue
      const bytes = decodeBase64(part.audio)
      if (Either.isRight(bytes)) this.keep(item.id, index, bytes.right, this.#format)
    }
  }

  /** Its words are known: they are told in place of the audio. Words of nothing at all replace nothing. */
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

  /** What another process kept, the oldest first. */
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
    const recording = this.#recordings.get(itemId, contentIndex)
    return recording?._tag === "Kept" ? recording : undefined
  }

  /** As the session sends audio now: base64. */
  told(itemId: string, contentIndex: number): string | undefined {
    const recording = this.get(itemId, contentIndex)
    return recording === undefined ? undefined : encodeBase64(converted(recording, this.#format))
  }

  /** What the server hears now. */
  get #format(): AudioFormat {
    return this.#session.configuration.inputFormat()
  }

  /** A server does not make an item twice. */
  #lacks(itemId: string, contentIndex: number): boolean {
    return this.#session.options.turnAudio.maxBytes > 0 && this.get(itemId, contentIndex) === undefined
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
    const recording = this.get(itemId, contentIndex)
    if (recording === undefined) return
    const { bytes, format } = recording
    this.#written.add(keyOf(itemId, contentIndex))
    this.#session.recorder.turnAudio({ itemId, contentIndex, format, audio: encodeBase64(bytes) })
  }
}

const keyOf = (itemId: string, contentIndex: number): string => `${contentIndex} ${itemId}`

/** The next connection may hear in another format. */
const converted = ({ bytes, format }: Sound, to: AudioFormat): Uint8Array => {
  if (format.type === to.type) return bytes
  const samples = Either.getOrElse(decode(format, bytes), () => new Int16Array())
  const [from, rate] = [sampleRate(format), sampleRate(to)]
  return encode(to, from === rate ? samples : resample(samples, from, rate))
}
