import * as Either from "effect/Either"
import { decodeBase64 } from "../audio/Base64.js"
import { bytesOf, bytesPerSecond } from "../audio/Format.js"
import { Alignment, type Extent } from "../machine/Alignment.js"
import type { Heard } from "../machine/cuts.js"
import * as Playback from "../machine/Playback.js"
import type { ResponseOutputAudioDelta } from "../protocol/ResponseEvent.js"
import { type Blocked, truncation } from "./conversation/Cuts.js"
import type { Parts } from "./Parts.js"

/** A part that was not heard to its end, and how much of it was heard. */
export interface Unheard {
  readonly itemId: string
  readonly contentIndex: number
  readonly heard: Pick<Heard, "heardMs" | "length">
}

/** Passes the model's audio to the application, and tells the server how much of it was heard. */
export class Speech {
  readonly #session: Parts
  readonly #playback = new Playback.Playback()
  readonly #alignment = new Alignment()
  #hasSpoken = false
  #isHushing = false

  constructor(session: Parts) {
    this.#session = session
  }

  responseCreated(responseId: string, outOfBand: boolean): void {
    this.#alignment.forget((itemId, contentIndex) =>
      this.#playback.isOver(itemId, contentIndex) ? this.#playback.extent(itemId, contentIndex) : undefined
    )
    this.#playback.responseCreated(responseId, outOfBand)
  }

  /** More words of the audio's transcript. */
  words({ content_index, item_id, response_id }: Playback.Position, delta: string): void {
    if (this.#isPlayedByServer) this.#playback.buffered(response_id)
    const receivedMs = this.#playback.extent(item_id, content_index)?.receivedMs ?? 0
    this.#alignment.said(item_id, content_index, delta.length, receivedMs)
  }

  audio(event: ResponseOutputAudioDelta): void {
    // A copy of what the user hears elsewhere must not be played again.
    if (this.#session.connections.traits.audio === "elsewhere") return
    const { configuration, conversation, hearing, outbox, publisher, responses } = this.#session
    const decoded = decodeBase64(event.delta)
    if (Either.isLeft(decoded)) {
      const { message } = decoded.left
      outbox.publish({ _tag: "ProtocolViolation", type: event.type, message, excerpt: event.delta.slice(0, 100) })
      return
    }
    const bytes = decoded.right
    const format = configuration.outputFormat()
    this.#hasSpoken = true
    if (!this.#playback.received(event, bytes.length, bytesPerSecond(format), this.#session.now())) {
      const dropped = bytes.length === 0 ? undefined : this.#playback.dropped(event, bytesPerSecond(format))
      if (dropped !== undefined) this.#cutThere(dropped)
      return
    }
    this.#session.telemetry.spoke(event.response_id)
    hearing.goesOn()
    const { content_index: contentIndex, item_id: itemId, response_id: responseId } = event
    conversation.record(itemId, contentIndex, bytes, format)
    publisher.play({ responseId, itemId, contentIndex, outOfBand: responses.isOutOfBand(responseId), bytes })
  }

  audioDone(at: Playback.Position): void {
    this.#playback.audioDone(at)
    this.#session.conversation.recorded(at.item_id, at.content_index)
  }

  responseDone(responseId: string): void {
    this.#playback.responseDone(responseId)
  }

  /**
   * Nothing more of this response may be heard. Returns whether anything was left to hear. `blockedBy`: the guardrail
   * that stopped it; with `stands`, it also stops text that is still shown.
   */
  cancelled(responseId: string, blockedBy?: string, stands = false): boolean {
    const wasLive = this.#playback.isLive(responseId)
    const wasBuffered = this.#playback.isBuffered(responseId)
    this.#hush((id) => id === responseId)
    const truncations = this.#playback.cancelled(responseId, this.#session.now())
    const wasUnheard = truncations.length > 0 || wasBuffered
    // Audio that was heard to its end was not stopped.
    const isBlocked = blockedBy !== undefined && (wasLive || wasUnheard || stands)
    this.#truncate(truncations, isBlocked ? { by: blockedBy, responseIds: [responseId] } : undefined)
    return wasUnheard
  }

  /**
   * The user or the application interrupted: cuts what was not heard yet, here and in the server's conversation.
   * `isHushed`: a server that plays has stopped by itself.
   */
  interrupt(isHushed = false): void {
    if (!isHushed) this.#hush(() => true)
    this.#truncate(this.#playback.interrupted(this.#session.now()), undefined)
    this.#session.hearing.settled()
  }

  /**
   * A guardrail withdraws these responses. What was not heard of them is cut. Nothing of them is sent to another server,
   * even if it was heard. The audio of other responses goes on.
   */
  withdraw(responseIds: ReadonlySet<string>, blockedBy: string): void {
    this.#hush((responseId) => responseIds.has(responseId))
    const truncations = this.#playback.interrupted(this.#session.now(), (responseId) => responseIds.has(responseId))
    this.#truncate(truncations, { by: blockedBy, responseIds })
  }

  /** The application reports how much of a part was heard. */
  reported(itemId: string, contentIndex: number, report: Playback.Report): void {
    this.#playback.reported(itemId, contentIndex, report, this.#session.now())
    this.#session.hearing.goesOn()
  }

  /** The server, which plays by itself, has begun with this response. */
  started(responseId: string): void {
    if (!this.#isPlayedByServer) return
    this.#hasSpoken = true
    this.#playback.buffered(responseId)
    this.#session.telemetry.spoke(responseId)
  }

  /** The server has played this response to its end, or dropped the rest. */
  stopped(responseId: string): void {
    this.#playback.unbuffered(responseId)
  }

  /** The server has cut a part of an item, whoever asked for it. */
  truncated(itemId: string, contentIndex: number, endMs: number): void {
    const { connections, conversation } = this.#session
    const extent = this.#heard(itemId, contentIndex, endMs)
    const cut = this.#playback.truncated(itemId, contentIndex, this.#session.now())
    const responseId = connections.traits.playback === "server" ? conversation.responseOf(itemId, contentIndex) : cut
    // Nobody here asked for the cut: the player must drop the rest.
    if (responseId !== undefined) {
      this.#session.outbox.publish({ _tag: "AudioInterrupted", responseId, itemId, contentIndex, heardMs: endMs })
    }
    this.#cut(itemId, contentIndex, extent)
  }

  /** This part ended early, or was lost. Words without audio are never heard. */
  cutShort(itemId: string, contentIndex: number, how: "Ended" | "Lost"): void {
    const receivedMs = this.#playback.extent(itemId, contentIndex)?.receivedMs
    // Some servers send all text without audio.
    if (receivedMs === undefined && how === "Ended") return
    this.#cut(itemId, contentIndex, { heardMs: receivedMs ?? 0, receivedMs: receivedMs ?? 0, isComplete: false })
  }

  /** The remaining audio is still played, but the next connection does not know of it. */
  disconnected(): void {
    this.#playback.connectionReplaced()
  }

  /** Whether something is left to hear. */
  isPlaying(): boolean {
    return this.#playback.isPlaying(this.#session.now())
  }

  /** The parts that were not heard to their end. */
  unheard(): ReadonlyArray<Unheard> {
    return this.#playback.unheard(this.#session.now()).map(({ contentIndex, itemId, ...all }) => {
      const extent = { ...all, heardMs: Playback.wholeMs(all.heardMs) }
      const length = (length: number): number => this.#alignment.heard(itemId, contentIndex, length, extent)
      return { itemId, contentIndex, heard: { heardMs: extent.heardMs, length } }
    })
  }

  /** Whether any audio of this part came, however long ago, or may be heard elsewhere. */
  hasSound(itemId: string, contentIndex: number): boolean {
    return this.#isPlayedByServer || this.#playback.extent(itemId, contentIndex) !== undefined
  }

  /** When all received audio will have been heard, if no more comes; absent if nothing is left to hear. */
  endsAt(): number | undefined {
    return this.#playback.endsAt(this.#session.now())
  }

  /** Whether the audio of this response should still be played. */
  accepts(responseId: string): boolean {
    return this.#playback.accepts(responseId)
  }

  hasSpoken(): boolean {
    return this.#hasSpoken
  }

  get #isPlayedByServer(): boolean {
    return this.#session.connections.traits.playback === "server"
  }

  /** Makes a server that plays drop what is left of these responses, behind what stops them. */
  #hush(isMeant: (responseId: string) => boolean): void {
    if (!this.#isPlayedByServer || this.#isHushing || !this.#playback.mayBeBuffered(isMeant)) return
    const { newId, outbox } = this.#session
    this.#isHushing = true
    outbox.afterwards(() => {
      this.#isHushing = false
      outbox.send({ type: "output_audio_buffer.clear", event_id: newId("obc") })
    })
  }

  /** How much of the part was heard, out of what there is. */
  #heard(itemId: string, contentIndex: number, heardMs: number): Extent {
    // If no audio came here, it was played elsewhere.
    const extent = this.#playback.extent(itemId, contentIndex) ?? { receivedMs: heardMs, isComplete: false }
    return { ...extent, heardMs }
  }

  #cut(itemId: string, contentIndex: number, extent: Extent): void {
    const { heardMs } = extent
    this.#session.cuts.cut(itemId, contentIndex, {
      heardMs,
      length: (length) => this.#alignment.heard(itemId, contentIndex, length, extent),
      bytes: (format) => bytesOf(format, heardMs)
    })
  }

  /** Cuts a part, here and in the server's conversation. */
  #cutThere(at: Playback.Truncation): void {
    const { contentIndex, heardMs, inConversation, itemId } = at
    this.#cut(itemId, contentIndex, this.#heard(itemId, contentIndex, heardMs))
    if (!inConversation || this.#session.connections.traits.truncation === "server") return
    this.#session.outbox.send(truncation(this.#session.newId("trc"), at))
  }

  #truncate(truncations: ReadonlyArray<Playback.Truncation>, blocked: Blocked | undefined): void {
    for (const truncation of truncations) {
      const { contentIndex, heardMs, itemId, responseId } = truncation
      this.#session.outbox.publish({ _tag: "AudioInterrupted", responseId, itemId, contentIndex, heardMs })
      this.#cutThere(truncation)
    }
    // A server that plays has played more than was known here, or less: it says where it stopped.
    if (blocked !== undefined || !this.#isPlayedByServer) this.#session.cuts.stop(blocked)
  }
}
