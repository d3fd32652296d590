/** What a vendor does with the audio that it is sent: plays it in order, and says which marks it has passed. */
import { ByteQueue } from "./ByteQueue.js"

interface Mark {
  readonly name: string
  /** How much audio comes before it, counted from the beginning. */
  readonly atBytes: number
}

export class PlayBuffer {
  readonly #audio = new ByteQueue()
  #marks: Array<Mark> = []
  #played = 0

  /** How many bytes wait to be played. */
  get length(): number {
    return this.#audio.length
  }

  add(bytes: Uint8Array): void {
    this.#audio.push(bytes)
  }

  /** Returns the marks that were passed by it: this one, if nothing waits. */
  mark(name: string): ReadonlyArray<string> {
    this.#marks.push({ name, atBytes: this.#played + this.#audio.length })
    return this.#passed()
  }

  /** Plays at most so many bytes. */
  play(count: number): { readonly bytes: Uint8Array; readonly marks: ReadonlyArray<string> } {
    const bytes = this.#audio.take(count)
    this.#played += bytes.length
    return { bytes, marks: this.#passed() }
  }

  /** Drops what was not played. Returns all marks that waited: vendors send them back. */
  clear(): ReadonlyArray<string> {
    this.#audio.clear()
    return this.#marks.splice(0).map(({ name }) => name)
  }

  #passed(): ReadonlyArray<string> {
    const waiting = this.#marks.findIndex(({ atBytes }) => atBytes > this.#played)
    return this.#marks.splice(0, waiting < 0 ? this.#marks.length : waiting).map(({ name }) => name)
  }
}
