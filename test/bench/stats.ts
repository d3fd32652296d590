/** What is reported of one contender, in the unit of its row. */
export interface Figures {
  readonly samples: number
  readonly p25: number
  readonly p50: number
  readonly p75: number
  readonly p95: number
  readonly p99: number
  readonly mean: number
}

/** The nearest-rank percentile: always one of the samples. `NaN` without samples. */
export const percentile = (samples: ReadonlyArray<number>, rank: number): number => {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.max(0, Math.ceil(rank * sorted.length) - 1)] ?? Number.NaN
}

export const median = (samples: ReadonlyArray<number>): number => percentile(samples, 0.5)

/** `parts` runs of a whole, as even as they get, in order. */
export const split = (whole: number, parts: number): ReadonlyArray<number> =>
  Array.from(
    { length: parts },
    (_, index) => Math.floor((whole * (index + 1)) / parts) - Math.floor((whole * index) / parts)
  )

/** A tenth of a microsecond is below the resolution of the clock. */
export const rounded = (value: number): number => Math.round(value * 10_000) / 10_000

export const figures = (samples: ReadonlyArray<number>): Figures => ({
  samples: samples.length,
  p25: rounded(percentile(samples, 0.25)),
  p50: rounded(median(samples)),
  p75: rounded(percentile(samples, 0.75)),
  p95: rounded(percentile(samples, 0.95)),
  p99: rounded(percentile(samples, 0.99)),
  mean: rounded(samples.reduce((sum, sample) => sum + sample, 0) / samples.length)
})
