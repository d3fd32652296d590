/** Figures as they are printed. */

/** The value below which a part of all values lies: 0.5 gives the median. `NaN` if there are none. */
export const quantile = (values: ReadonlyArray<number>, part: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * part) - 1))] ?? Number.NaN
}

export const milliseconds = (ms: number): string => {
  if (Number.isNaN(ms)) return "none"
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** Such as `p50 2.4 ms, p95 8.4 ms, p99 12 ms, most 31 ms (of 500)`. */
export const spread = (values: ReadonlyArray<number>): string =>
  values.length === 0
    ? "none"
    : `${[0.5, 0.95, 0.99].map((part) => `p${part * 100} ${milliseconds(quantile(values, part))}`).join(", ")}, most ${milliseconds(quantile(values, 1))} (of ${values.length})`
