/**
 * Runs one step at a time: the most urgent first, and the oldest first among equals. Between two steps, the thread reads
 * its messages, so that a long job of short steps does not block other requests.
 */

/** The most urgent first. */
export type Urgency = "detect" | "speak" | "recognize"

const order: ReadonlyArray<Urgency> = ["detect", "speak", "recognize"]

/** A step goes first after this many more urgent ones, so that a client that sends much audio does not block the rest. */
const PATIENCE = 16

interface Queue {
  readonly steps: Array<() => Promise<void>>
  /** How many more urgent steps ran while the first one waited. */
  passed: number
}

const queue = (): Queue => ({ steps: [], passed: 0 })

export class Lane {
  readonly #queues: { readonly [urgency in Urgency]: Queue } = { detect: queue(), speak: queue(), recognize: queue() }
  #running = false

  /** Resolves with the step's result when its turn has come. A step that is no longer wanted has no result. */
  run<A>(urgency: Urgency, wanted: () => boolean, step: () => A | Promise<A>): Promise<A | undefined> {
    return new Promise((resolve, reject) => {
      this.#queues[urgency].steps.push(async () => {
        try {
          resolve(wanted() ? await step() : undefined)
        } catch (problem) {
          reject(problem)
        }
      })
      if (!this.#running) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#running = true
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await new Promise(setImmediate)
      await next()
    }
    this.#running = false
  }

  #next(): (() => Promise<void>) | undefined {
    const waiting = order.map((urgency) => this.#queues[urgency]).filter(({ steps }) => steps.length > 0)
    const chosen = waiting.find(({ passed }) => passed >= PATIENCE) ?? waiting[0]
    if (chosen === undefined) return undefined
    for (const other of waiting.slice(waiting.indexOf(chosen) + 1)) other.passed += 1
    chosen.passed = 0
    return chosen.steps.shift()
  }
}
