/**
 * Semantic turn detection: whether a speaker who pauses after this text has probably finished.
 */

/** Words that end an English sentence only if it was cut off. */
const unfinished = new Set(
  "a an and are as at because but by for from i if in into is my of on or our so than that the their then to um uh was were with your".split(
    " "
  )
)

/** Moonshine usually puts a full stop even after a sentence that was cut off, so the last word counts too. */
export const soundsComplete = (text: string): boolean => {
  if (!/[.?!]["')]*$/.test(text)) return false
  const last = /([\p{L}\p{N}']+)[^\p{L}\p{N}]*$/u.exec(text)?.[1]
  return last !== undefined && !unfinished.has(last.toLowerCase())
}
