/**
 * What a check found. There are three outcomes, not two: a condition that is not understood can be neither kept nor
 * broken, also where another one negates it or counts it.
 */

/** What is wrong, and where in the value. */
export interface Issue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
  /** What would be right in this place, in a few words, if that can be said. */
  readonly expected: string | undefined
}

export interface Invalid {
  readonly _tag: "Invalid"
  readonly issues: ReadonlyArray<Issue>
}

export type Outcome = { readonly _tag: "Valid" } | { readonly _tag: "Unknown" } | Invalid

export const valid: Outcome = { _tag: "Valid" }
export const unknown: Outcome = { _tag: "Unknown" }

const maxShown = 100

/** A value for a message: plain values only, and no more than the beginning of a text. */
const shown = (value: unknown): string => {
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === "object" && value !== null) return "an object"
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= maxShown ? text : `${text.slice(0, maxShown - 1).replace(/[\uD800-\uDBFF]$/, "")}…`
}

export const invalid = (message: string, key?: string): Invalid => ({
  _tag: "Invalid",
  issues: [{ path: key === undefined ? [] : [key], message, expected: undefined }]
})

export const unexpected = (expected: string, actual: unknown): Invalid => ({
  _tag: "Invalid",
  issues: [{ path: [], message: `Expected ${expected}, actual ${shown(actual)}`, expected }]
})

/** An outcome of a part, as one of the whole. */
export const under = (key: string | number, outcome: Outcome): Outcome =>
  outcome._tag === "Invalid"
    ? { _tag: "Invalid", issues: outcome.issues.map((issue) => ({ ...issue, path: [key, ...issue.path] })) }
    : outcome

/**
 * All must be valid.
 *
 * @param all whether to find every issue, or only the first one
 */
export const every = (outcomes: Iterable<Outcome>, all: boolean): Outcome => {
  const issues: Array<Issue> = []
  let isUnknown = false
  for (const outcome of outcomes) {
    if (outcome._tag === "Invalid") {
      if (!all) return outcome
      for (const issue of outcome.issues) issues.push(issue)
    } else if (outcome._tag === "Unknown") isUnknown = true
  }
  if (issues.length > 0) return { _tag: "Invalid", issues }
  return isUnknown ? unknown : valid
}

/** At least one must be valid. Of several alternatives, the issues of the nearest one are reported. */
export const some = (outcomes: Iterable<Outcome>, value: unknown): Outcome => {
  const failed: Array<Invalid> = []
  let isUnknown = false
  for (const outcome of outcomes) {
    if (outcome._tag === "Valid") return valid
    if (outcome._tag === "Unknown") isUnknown = true
    else failed.push(outcome)
  }
  return isUnknown ? unknown : nearest(failed, value)
}

/** Exactly one must be valid. */
export const one = (outcomes: Iterable<Outcome>, value: unknown): Outcome => {
  const failed: Array<Invalid> = []
  let [fitting, unknowns] = [0, 0]
  for (const outcome of outcomes) {
    if (outcome._tag === "Valid") fitting += 1
    else if (outcome._tag === "Unknown") unknowns += 1
    else failed.push(outcome)
  }
  if (fitting > 1) return invalid(`Fits ${fitting} of the alternatives, of which only one may fit`)
  if (unknowns > 0) return unknown
  return fitting === 1 ? valid : nearest(failed, value)
}

export const not = (outcome: Outcome): Outcome => {
  switch (outcome._tag) {
    case "Valid":
      return invalid("Is what it may not be")
    case "Unknown":
      return unknown
    case "Invalid":
      return valid
  }
}

/**
 * A value of another kind is further away than one with a wrong field. Where each alternative wants another kind, all
 * of them are named.
 */
const nearest = (failed: ReadonlyArray<Invalid>, value: unknown): Invalid => {
  const kinds = failed.flatMap(({ issues: [first, ...others] }) =>
    first?.expected !== undefined && first.path.length === 0 && others.length === 0 ? [first.expected] : []
  )
  if (kinds.length === failed.length && kinds.length > 0) return unexpected([...new Set(kinds)].join(" | "), value)
  const distance = ({ issues }: Invalid) => ({
    whole: issues.filter(({ path }) => path.length === 0).length,
    choices: issues.filter(({ expected, path }) => expected?.startsWith('"') && path.length === 1).length,
    all: issues.length
  })
  const [best] = failed
    .map((outcome) => ({ outcome, far: distance(outcome) }))
    .toSorted((a, b) => a.far.whole - b.far.whole || a.far.choices - b.far.choices || a.far.all - b.far.all)
  return best === undefined ? invalid("Nothing is valid here") : best.outcome
}
