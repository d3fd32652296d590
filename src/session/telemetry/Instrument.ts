import * as MetricLabel from "effect/MetricLabel"

export type Labels = ReadonlyArray<MetricLabel.MetricLabel>

/** The part of an Effect metric that a session uses. */
interface Metric {
  readonly unsafeUpdate: (amount: number, labels: Labels) => void
  readonly unsafeModify: (by: number, labels: Labels) => void
}

/** A value for each of the instrument's attributes, in order. `undefined` values are left out. */
type Values = ReadonlyArray<string | undefined>

/** OpenTelemetry's limit for attribute sets per instrument, so that names from a server cannot fill the memory. */
const maxSets = 2_000

const overflow = MetricLabel.make("otel.metric.overflow", "true")

/** In place of the values beyond the limit. */
const overflowing = "\n\n\n\n\n\n\n\n"

/**
 * An Effect metric with its unit and the names of its attributes. Effect finds a metric by the identity of its labels,
 * so each set of labels is made once.
 */
export class Instrument {
  readonly #sets = new WeakMap<Labels, Map<string, Labels>>()

  constructor(
    readonly name: string,
    private readonly metric: Metric,
    readonly unit: string,
    readonly attributes: ReadonlyArray<string>
  ) {}

  /** Adds to a counter, or observes a value. `base`: the labels that the application gives to all of its metrics. */
  update(base: Labels, amount: number, ...values: Values): void {
    this.metric.unsafeUpdate(amount, this.#labels(base, values))
  }

  /** Moves a gauge that several sessions share. */
  move(base: Labels, by: number): void {
    this.metric.unsafeModify(by, this.#labels(base, []))
  }

  #labels(base: Labels, values: Values): Labels {
    let sets = this.#sets.get(base)
    if (sets === undefined) {
      sets = new Map()
      this.#sets.set(base, sets)
    }
    const key = values.length === 1 ? (values[0] ?? "") : values.join("\n")
    const known = sets.get(key)
    if (known !== undefined) return known
    if (sets.size >= maxSets && key !== overflowing) return this.#labels(base, [overflowing])
    const own =
      key === overflowing
        ? [overflow]
        : this.attributes.flatMap((name, index) => {
            const value = values[index]
            return value === undefined ? [] : [MetricLabel.make(name, value)]
          })
    const labels = [MetricLabel.make("unit", this.unit), ...own, ...base]
    sets.set(key, labels)
    return labels
  }
}
