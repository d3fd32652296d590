/** The audio that a server plays itself, over WebRTC or a phone line: in real time, and dropped when the user speaks. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Emit } from "./Outgoing.js"
import type { ServerConversation } from "./ServerConversation.js"

export interface OutputAudioOptions {
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly conversation: ServerConversation
  /** Milliseconds. */
  readonly now: () => number
}

interface Playing {
  readonly responseId: string
  /** How long the audio of each item is, in milliseconds. */
  readonly items: Map<string, number>
  ms: number
  playedMs: number
  hasBegun: boolean
  /** No more will come. */
  isWhole: boolean
}

/** In milliseconds: shorter than a sample, and more than rounding errors add up to. */
const DUST = 1e-6

export class OutputAudio {
  readonly #options: OutputAudioOptions
  /** In the order of playing. */
  #queue: Array<Playing> = []
  #at: number
  #isWatching = false

  constructor(options: OutputAudioOptions) {
    this.#options = options
    this.#at = options.now()
  }

  /** More audio of an item, which follows what is there. */
  add(responseId: string, itemId: string, ms: number): void {
    this.#advance()
    let playing = this.#queue.find((one) => one.responseId === responseId)
    if (playing === undefined) {
      playing = { responseId, items: new Map(), ms: 0, playedMs: 0, hasBegun: false, isWhole: false }
      this.#queue.push(playing)
    }
    playing.items.set(itemId, (playing.items.get(itemId) ?? 0) + ms)
    playing.ms += ms
    this.#advance()
    this.#watch()
  }

  /** The response has all its audio. */
  complete(responseId: string): void {
    const playing = this.#queue.find((one) => one.responseId === responseId)
    if (playing !== undefined) playing.isWhole = true
    this.#advance()
  }

  /** Drops what was not played, and cuts the items in the conversation to what was. */
  clear(): void {
    this.#advance()
    const { conversation, emit } = this.#options
    const dropped = this.#queue
    this.#queue = []
    for (const { hasBegun, items, playedMs, responseId } of dropped) {
      if (hasBegun) emit({ type: "output_audio_buffer.cleared", response_id: responseId })
      let left = playedMs
      for (const [item_id, ms] of items) {
        const heard = Math.min(left, ms)
        left -= heard
        const audio_end_ms = Math.floor(heard + DUST)
        if (heard + DUST >= ms || conversation.truncate(item_id, 0, audio_end_ms) !== undefined) continue
        emit({ type: "conversation.item.truncated", item_id, content_index: 0, audio_end_ms })
      }
    }
  }

  /** Plays up to now. */
  #advance(): void {
    const now = this.#options.now()
    let left = Math.max(0, now - this.#at)
    this.#at = now
    for (let playing = this.#queue[0]; playing !== undefined; playing = this.#queue[0]) {
      if (!playing.hasBegun) {
        playing.hasBegun = true
        this.#options.emit({ type: "output_audio_buffer.started", response_id: playing.responseId })
      }
      const played = Math.min(left, playing.ms - playing.playedMs)
      playing.playedMs += played
      left -= played
      if (playing.playedMs + DUST < playing.ms || !playing.isWhole) return
      this.#queue.shift()
      this.#options.emit({ type: "output_audio_buffer.stopped", response_id: playing.responseId })
    }
  }

  /** Looks again when all of what is there will have been played. */
  #watch(): void {
    if (this.#isWatching) return
    const leftMs = this.#queue.reduce((sum, { ms, playedMs }) => sum + ms - playedMs, 0)
    const [first] = this.#queue
    if (first === undefined || leftMs <= DUST) return
    this.#isWatching = true
    this.#options.fork(
      Effect.zipRight(
        Effect.sleep(Math.max(1, Math.ceil(first.ms - first.playedMs))),
        Effect.sync(() => {
          this.#isWatching = false
          this.#advance()
          this.#watch()
        })
      )
    )
  }
}
