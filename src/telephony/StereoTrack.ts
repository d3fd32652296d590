/**
 * Both sides of a call as stereo, the caller on the left and the agent on the right, each where it was heard. It has no
 * side effects. Times are in milliseconds since the call began.
 */
/** Frames that come so much late are still put next to the ones before them. */
const jitterMs = 500
/** The caller's audio may be so much ahead of the clock, as after a pause of this process. */
const maxAheadMs = 1_000
/** Audio may come so much later than it was heard. */
const settledMs = 1_000

/** One side: samples from a position on, that grows as they are taken. */
class Side {
  #samples: Int16Array = new Int16Array(16_000)
  #begin = 0
  #end = 0

  get end(): number {
    return this.#end
  }

  /** Puts samples at a position, and silence before it. */
  put(at: number, samples: Int16Array): void {
    const from = Math.max(at, this.#end)
    this.#reserve(from + samples.length)
    this.#samples.fill(0, this.#end - this.#begin, from - this.#begin)
    this.#samples.set(samples, from - this.#begin)
    this.#end = from + samples.length
  }

  /** Nothing is heard from this position on. */
  cut(at: number): void {
    this.#end = Math.min(this.#end, Math.max(at, this.#begin))
  }

  /** Takes all samples before this position; silence where there are none. */
  take(until: number): Int16Array {
    const taken = new Int16Array(Math.max(0, until - this.#begin))
    const known = this.#samples.subarray(0, Math.min(this.#end, until) - this.#begin)
    taken.set(known)
    this.#samples.copyWithin(0, known.length, this.#end - this.#begin)
    this.#begin = Math.max(this.#begin, until)
    this.#end = Math.max(this.#begin, this.#end)
    return taken
  }

  #reserve(end: number): void {
    if (end - this.#begin <= this.#samples.length) return
    const more = new Int16Array(2 * (end - this.#begin))
    more.set(this.#samples.subarray(0, this.#end - this.#begin))
    this.#samples = more
  }
}

export class StereoTrack {
  readonly #caller = new Side()
  readonly #agent = new Side()
  #taken = 0

  /** @param sampleRate of both sides */
  constructor(private readonly sampleRate: number) {}

  /** The caller's audio arrives. */
  heard(samples: Int16Array, now: number): void {
    const began = this.#at(now) - samples.length
    const isLate = this.#caller.end < began - this.#at(jitterMs)
    const at = isLate ? began : this.#caller.end
    if (at + samples.length <= this.#at(now + maxAheadMs)) this.#caller.put(at, samples)
  }

  /** The vendor gets audio, which it plays after what it has. */
  played(samples: Int16Array, now: number): void {
    this.#agent.put(this.#at(now), samples)
  }

  /** The vendor drops what it has not played. */
  cleared(now: number): void {
    this.#agent.cut(this.#at(now))
  }

  /** All that is certain by now: left and right samples in turn. `isOver`: nothing more comes. */
  take(now: number, isOver: boolean): Int16Array {
    const until = Math.max(this.#taken, this.#at(isOver ? now : now - settledMs))
    const [left, right] = [this.#caller.take(until), this.#agent.take(until)]
    this.#taken = until
    const frames = new Int16Array(2 * left.length)
    for (let index = 0; index < left.length; index++) {
      frames[2 * index] = left[index] ?? 0
      frames[2 * index + 1] = right[index] ?? 0
    }
    return frames
  }

  #at(ms: number): number {
    return Math.max(0, Math.floor((ms * this.sampleRate) / 1_000))
  }
}
