/** The user's spoken turns, which Gemini does not announce: they show in transcripts, interruptions and answers. */
import type { Line } from "./Line.js"

interface Turn {
  readonly id: string
  text: string
  /** The transcript that was said to be complete. */
  told: string | undefined
  /** It was said that the user stopped. */
  hasStopped: boolean
}

export class Listening {
  readonly #line: Line
  readonly #atMs: () => number
  #open: Turn | undefined
  /** The turn that is over. Its words may still come. */
  #last: Turn | undefined

  /** `atMs`: how much of the user's audio was sent, in milliseconds. */
  constructor(line: Line, atMs: () => number) {
    this.#line = line
    this.#atMs = atMs
  }

  get isOpen(): boolean {
    return this.#open !== undefined
  }

  /** The user begins to speak. */
  begin(): Turn {
    if (this.#open !== undefined) return this.#open
    this.settle(false)
    const turn = this.#newTurn()
    this.#open = turn
    this.#line.emit({ type: "input_audio_buffer.speech_started", item_id: turn.id, audio_start_ms: this.#atMs() })
    return turn
  }

  /** The user pauses. The turn is over when it is answered. */
  stop(): void {
    if (this.#open !== undefined) this.#stopped(this.#open)
  }

  /** Words of the user. While the model answers, they are those of the turn that it answers. */
  heard(delta: string, isAnswering: boolean): void {
    const turn = this.#open ?? (isAnswering ? this.#last : undefined) ?? this.begin()
    turn.text += delta
    const type = "conversation.item.input_audio_transcription.delta"
    this.#line.emit({ type, item_id: turn.id, content_index: 0, delta })
  }

  /** The turn is over, and an item of the conversation. `marked`: this side marked its end, and nobody its beginning. */
  commit(marked: boolean): void {
    this.settle(false)
    const turn = this.#open ?? (marked ? this.#newTurn() : this.begin())
    this.#open = undefined
    this.#last = turn
    const previous_item_id = this.#line.follow(turn.id)
    if (!marked) this.#stopped(turn)
    this.#line.emit({ type: "input_audio_buffer.committed", item_id: turn.id, previous_item_id })
    const item = {
      type: "message" as const,
      id: turn.id,
      object: "realtime.item" as const,
      role: "user" as const,
      status: "completed" as const,
      content: [{ type: "input_audio" as const }]
    }
    this.#line.emit({ type: "conversation.item.added", previous_item_id, item })
    this.#line.emit({ type: "conversation.item.done", previous_item_id, item })
    this.settle(false)
  }

  /** All words of the last turn that have come. `isLast`: no others will: a turn without any was not transcribed. */
  settle(isLast: boolean): void {
    const turn = this.#last
    if (turn === undefined) return
    const at = { item_id: turn.id, content_index: 0 }
    if (turn.text !== (turn.told ?? "")) {
      turn.told = turn.text
      const type = "conversation.item.input_audio_transcription.completed"
      this.#line.emit({ type, ...at, transcript: turn.text.trim() })
    } else if (isLast && turn.told === undefined) {
      turn.told = ""
      const error = { code: "no_transcript", message: "Gemini gave no transcript of what the user said." }
      this.#line.emit({ type: "conversation.item.input_audio_transcription.failed", ...at, error })
    }
  }

  #newTurn(): Turn {
    return { id: this.#line.newId("item"), text: "", told: undefined, hasStopped: false }
  }

  #stopped(turn: Turn): void {
    if (turn.hasStopped) return
    turn.hasStopped = true
    this.#line.emit({ type: "input_audio_buffer.speech_stopped", item_id: turn.id, audio_end_ms: this.#atMs() })
  }
}
