import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"

/**
 * What the metrics say that have this label: Effect has one registry for the whole process. A histogram counts how often
 * something was observed.
 */
export const measured = (key: string, value: string): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Metric.unsafeSnapshot().flatMap(({ metricKey, metricState }) => {
      if (!metricKey.tags.some((label) => label.key === key && label.value === value)) return []
      const labels = metricKey.tags.filter((label) => label.key !== "unit" && label.key !== key)
      const name = [metricKey.name, ...labels.map((label) => `${label.key}=${label.value}`).sort()].join(" ")
      return [[name, numberOf(metricState)]]
    })
  )

const numberOf = (state: MetricState.MetricState.Untyped): number =>
  MetricState.isHistogramState(state)
    ? state.count
    : MetricState.isCounterState(state)
      ? Number(state.count)
      : MetricState.isGaugeState(state)
        ? Number(state.value)
        : Number.NaN
