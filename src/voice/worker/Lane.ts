/**
 * Runs one step at a time: the most urgent first, and the oldest first among equals. Between two steps, the thread reads
 * its messages, so that a long job of short steps does not block other requests.
 */

/** The most urgent first. */
export type Urgency = "hear" | "speak" | "recognize"

const order: ReadonlyArray<Urgency> = ["hear", "speak", "recognize"]

export class Lane {
  readonly #waiting: { readonly [urgency in Urgency]: Array<() => Promise<void>> } = {
    hear: [],
    speak: [],
    recognize: []
  }
  #running = false

  /** Resolves with the step's result when its turn has come. A step that is no longer wanted has no result. */
  run<A>(urgency: Urgency, wanted: () => boolean, step: () => A | Promise<A>): Promise<A | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting[urgency].push(async () => {
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
    for (const urgency of order) {
      const step = this.#waiting[urgency].shift()
      if (step !== undefined) return step
    }
    return undefined
  }
}
