import * as MetricLabel from "effect/MetricLabel"

export type Labels = ReadonlyArray<MetricLabel.MetricLabel>

/** What a session wants of a metric of Effect's. */
interface Metric {
  readonly unsafeUpdate: (amount: number, labels: Labels) => void
  readonly unsafeModify: (by: number, labels: Labels) => void
}

/** A value for each of the instrument's attributes, in their order; one that is `undefined` is left out. */
type Values = ReadonlyArray<string | undefined>

/** OpenTelemetry's limit of attribute sets for one instrument, so that no server can fill the memory with its words. */
const maxSets = 2_000

const overflow = MetricLabel.make("otel.metric.overflow", "true")

/** In place of the values of a set beyond the limit. */
const overflowing = "\n\n\n\n\n\n\n\n"

/**
 * A metric of Effect's, with its unit and the names of its attributes. Effect finds a metric by the identity of its
 * labels, so each set of them is made once.
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

  /** Moves a gauge, that several sessions share. */
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
