/** How long the user waits: from the end of what they say or type to the beginning of the answer. */
import type { Entry } from "./Entry.js"

/** The number of waits that are kept. Older ones are dropped. */
const maxSamples = 500

/**
 * How far back the end of speech is looked for, in milliseconds. Semantic turn detection may wait for eight seconds, and a
 * busy machine takes longer to notice it.
 */
const lookBackMs = 15_000
/** Speech begins this long before turn detection notices it, in milliseconds. */
const noticeMs = 500

/** Speech ends where the microphone was last this loud, as a share of its loudest in the turn. */
const loudShare = 0.1

export class Latency {
  readonly #samples: Array<number> = []
  #since: number | undefined
  /** When the user's turn began. */
  #turnAtMs = 0
  /** The levels of the microphone lately, the oldest first. */
  #heard: Array<{ readonly atMs: number; readonly level: number }> = []

  apply(entry: Entry): void {
    const { atMs } = entry
    if (entry._tag === "Heard") {
      this.#heard.push(entry)
      if (this.#heard.length > 1_000) this.#heard = this.#heard.filter((one) => one.atMs >= atMs - lookBackMs)
      return
    }
    if (entry._tag === "Spoken") {
      this.#answered(atMs)
      return
    }
    if (entry._tag === "Typed") {
      this.#since ??= atMs
      return
    }
    if (entry._tag === "Released") {
      this.#turnAtMs = atMs - entry.heldMs
      this.#since = this.#endOfSpeech(atMs)
      return
    }
    if (entry._tag !== "Event") return
    const { event } = entry
    switch (event._tag) {
      case "SpeechStopped":
        this.#since = this.#endOfSpeech(atMs)
        return
      case "SpeechStarted":
        this.#since = undefined
        this.#turnAtMs = atMs - noticeMs
        return
      case "TextDelta":
        if (event.kind === "Text") this.#answered(atMs)
        return
      default:
        return
    }
  }

  get count(): number {
    return this.#samples.length
  }

  /** A percentile in milliseconds, by nearest rank: `share` 0.5 is the median. Nothing if there is no sample. */
  percentile(share: number): number | undefined {
    const sorted = this.#samples.toSorted((one, other) => one - other)
    return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  }

  /** Turn detection notices the end of speech after some silence. The user has waited since before it. */
  #endOfSpeech(noticedAtMs: number): number {
    const from = Math.max(this.#turnAtMs, noticedAtMs - lookBackMs)
    const recent = this.#heard.filter(({ atMs }) => atMs >= from)
    const loudest = recent.reduce((most, { level }) => Math.max(most, level), 0)
    return recent.findLast(({ level }) => loudest > 0 && level >= loudShare * loudest)?.atMs ?? noticedAtMs
  }

  #answered(atMs: number): void {
    if (this.#since === undefined) return
    this.#samples.push(atMs - this.#since)
    if (this.#samples.length > maxSamples) this.#samples.shift()
    this.#since = undefined
  }
}
