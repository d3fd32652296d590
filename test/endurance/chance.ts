/** A number in [0, 1) that depends only on these, so that a run can be repeated by its seed. */
export const chance = (...inputs: ReadonlyArray<number>): number => {
  let hash = 0x9e3779b9
  for (const input of inputs) {
    hash = Math.imul(hash ^ (input + 0x6d2b79f5), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return (hash >>> 0) / 4_294_967_296
}

/** A whole number from `least` on, up to `most`. */
export const between = (least: number, most: number, ...inputs: ReadonlyArray<number>): number =>
  least + Math.floor(chance(...inputs) * (most - least + 1))
