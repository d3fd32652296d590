/** A straight line through samples, and whether it rises more than chance explains. */

export interface Sample {
  readonly minutes: number
  readonly megabytes: number
}

export interface Line {
  /** Megabytes a minute. */
  readonly slope: number
  /**
   * What of a slope chance explains: three standard errors of the slope, by how far the samples lie from the line, and
   * no less than `grain`. Infinite where there are too few samples for an estimate.
   */
  readonly noise: number
  readonly verdict: "flat" | "growing"
}

/**
 * A heap that grows by less, in megabytes a minute, is not told from one where what V8 knows of the code still grows, and
 * ids of calls that are remembered.
 */
export const grain = 0.25

/** Least squares. */
export const regress = (samples: ReadonlyArray<Sample>): Line => {
  const n = samples.length
  const mean = (of: (sample: Sample) => number): number => samples.reduce((sum, sample) => sum + of(sample), 0) / n
  const x = mean(({ minutes }) => minutes)
  const y = mean(({ megabytes }) => megabytes)
  let xx = 0
  let xy = 0
  for (const { megabytes, minutes } of samples) {
    xx += (minutes - x) ** 2
    xy += (minutes - x) * (megabytes - y)
  }
  if (n < 4 || xx === 0) return { slope: 0, noise: Number.POSITIVE_INFINITY, verdict: "flat" }
  const slope = xy / xx
  const residuals = samples.reduce(
    (sum, { megabytes, minutes }) => sum + (megabytes - y - slope * (minutes - x)) ** 2,
    0
  )
  const noise = Math.max(grain, 3 * Math.sqrt(residuals / (n - 2) / xx))
  return { slope, noise, verdict: slope > noise ? "growing" : "flat" }
}
