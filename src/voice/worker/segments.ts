/**
 * Splits long speech where it is quietest, because the recogniser takes at most half a minute at once.
 */

const RATE = 16_000
/** The shortest and the longest segment, in samples. It ends at the quietest place in between. */
const SHORTEST = 14 * RATE
const LONGEST = 21 * RATE
/** The length of a place, in samples: 100 ms. */
const WINDOW = RATE / 10

const energy = (samples: Float32Array): number => samples.reduce((sum, sample) => sum + sample * sample, 0)

/** The middle of the quietest place, in samples. */
const cutOf = (samples: Float32Array): number => {
  let best = SHORTEST
  let least = Number.POSITIVE_INFINITY
  for (let at = SHORTEST; at + WINDOW <= LONGEST; at += WINDOW) {
    const loud = energy(samples.subarray(at, at + WINDOW))
    if (loud >= least) continue
    least = loud
    best = at
  }
  return best + WINDOW / 2
}

/** The segments of speech at 16 kHz, in order, each at most 21 seconds long. */
export const segmentsOf = (samples: Float32Array): ReadonlyArray<Float32Array> => {
  const segments: Array<Float32Array> = []
  let rest = samples
  while (rest.length > LONGEST) {
    const cut = cutOf(rest)
    segments.push(rest.subarray(0, cut))
    rest = rest.subarray(cut)
  }
  return [...segments, rest]
}
