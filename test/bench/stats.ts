/** What is reported of one contender. Times are in milliseconds. */
export interface Figures {
  readonly samples: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly perSecond: number
  /** The median of each eighth of the run, in its order: a cost that grows with the conversation shows here. */
  readonly eighths: ReadonlyArray<number>
}

/** The nearest-rank percentile: always one of the samples. `NaN` for none. */
export const percentile = (samples: ReadonlyArray<number>, rank: number): number => {
  const sorted = Float64Array.from(samples).sort()
  return sorted[Math.max(0, Math.ceil(rank * sorted.length) - 1)] ?? Number.NaN
}

/** `parts` runs of a whole, as even as they get, in order. */
export const split = (whole: number, parts: number): ReadonlyArray<number> =>
  Array.from(
    { length: parts },
    (_, index) => Math.floor((whole * (index + 1)) / parts) - Math.floor((whole * index) / parts)
  )

const slices = <A>(samples: ReadonlyArray<A>, parts: number): ReadonlyArray<ReadonlyArray<A>> => {
  let start = 0
  return split(samples.length, parts).map((length) => {
    const slice = samples.slice(start, start + length)
    start += length
    return slice
  })
}

/** A tenth of a microsecond is beyond what the clock can tell apart. */
export const rounded = (value: number): number => Math.round(value * 10_000) / 10_000

/** `elapsedMs` is the time that all samples took together, with what lies between them. */
export const figures = (samples: ReadonlyArray<number>, elapsedMs: number): Figures => ({
  samples: samples.length,
  p50: rounded(percentile(samples, 0.5)),
  p95: rounded(percentile(samples, 0.95)),
  p99: rounded(percentile(samples, 0.99)),
  perSecond: Math.round((samples.length / elapsedMs) * 1000),
  eighths: slices(samples, 8).map((slice) => rounded(percentile(slice, 0.5)))
})
