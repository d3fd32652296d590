/** A straight line through samples, and whether it rises more than chance explains. */

export interface Sample {
  /** How many there were when it was taken. */
  readonly responses: number
  /** Of the heap. */
  readonly bytes: number
}

export interface Line {
  /** Bytes a response. */
  readonly slope: number
  /**
   * What of a slope chance explains: three standard errors of the slope, by how far the samples lie from the line, and
   * no less than `grain`. Infinite where there are too few samples for an estimate.
   */
  readonly noise: number
  readonly verdict: "flat" | "growing"
}

/** Bytes a response. Less than any object that one would leave behind; V8 alone needs up to half of it for a while. */
export const grain = 50

/** Least squares. */
export const regress = (samples: ReadonlyArray<Sample>): Line => {
  const n = samples.length
  const mean = (of: (sample: Sample) => number): number => samples.reduce((sum, sample) => sum + of(sample), 0) / n
  const x = mean(({ responses }) => responses)
  const y = mean(({ bytes }) => bytes)
  let xx = 0
  let xy = 0
  for (const { bytes, responses } of samples) {
    xx += (responses - x) ** 2
    xy += (responses - x) * (bytes - y)
  }
  if (n < 4 || xx === 0) return { slope: 0, noise: Number.POSITIVE_INFINITY, verdict: "flat" }
  const slope = xy / xx
  const residuals = samples.reduce((sum, { bytes, responses }) => sum + (bytes - y - slope * (responses - x)) ** 2, 0)
  const noise = Math.max(grain, 3 * Math.sqrt(residuals / (n - 2) / xx))
  return { slope, noise, verdict: slope > noise ? "growing" : "flat" }
}
