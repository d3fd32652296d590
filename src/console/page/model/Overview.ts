/** Everything that the page shows of one call. It is derived only from the entries, so that a replay shows the same. */
import { Calls } from "./Calls.js"
import type { Entry } from "./Entry.js"
import { Latency } from "./Latency.js"
import { Problems } from "./Problems.js"
import { Timeline } from "./Timeline.js"
import { Transcript } from "./Transcript.js"

/** Tokens of all responses so far. */
export interface Tokens {
  readonly input: number
  readonly output: number
}

export class Overview {
  readonly transcript = new Transcript()
  readonly calls = new Calls()
  readonly timeline = new Timeline()
  readonly problems = new Problems()
  readonly latency = new Latency()
  #agent = ""
  #tokens: Tokens = { input: 0, output: 0 }
  #endMs = 0

  /** The agent that has the conversation. */
  get agent(): string {
    return this.#agent
  }

  get tokens(): Tokens {
    return this.#tokens
  }

  /** The time of the last entry, in milliseconds from the beginning of the call. */
  get endMs(): number {
    return this.#endMs
  }

  apply(entry: Entry): void {
    this.#endMs = Math.max(this.#endMs, entry.atMs)
    if (entry._tag === "Event") this.#event(entry.event)
    this.transcript.apply(entry, this.#agent)
    this.calls.apply(entry)
    this.timeline.apply(entry)
    this.problems.apply(entry)
    this.latency.apply(entry)
  }

  #event(event: Extract<Entry, { readonly _tag: "Event" }>["event"]): void {
    switch (event._tag) {
      case "SessionStarted":
        this.#agent = event.agent
        return
      case "HandedOff":
        this.#agent = event.to
        return
      case "EventsMissed":
        this.#agent = event.snapshot?.agent ?? this.#agent
        return
      case "ResponseDone":
        this.#tokens = {
          input: this.#tokens.input + (event.usage?.input_tokens ?? 0),
          output: this.#tokens.output + (event.usage?.output_tokens ?? 0)
        }
        return
      default:
        return
    }
  }
}
