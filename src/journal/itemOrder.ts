/** The protocol's name for the place before all items. */
const ROOT = "root"

/**
 * Puts items in the server's order. Each item says at most which one it follows. Items do not become final in the order
 * of the conversation, so an item may name one that becomes known later.
 *
 * If two items follow the same one, the later one is closer to it, as if it had been inserted. An item that names an
 * unknown item, or itself through others, stays where it was first seen.
 *
 * @param known all items, in the order in which they were first seen
 * @param previousOf returns the item that an item follows
 */
export const itemOrder = <A>(
  known: ReadonlyMap<string, A>,
  previousOf: (item: A) => string | undefined
): ReadonlyArray<string> => inSequence(known, previousOf) ?? byTree(known, previousOf)

/**
 * The usual case, with a fraction of the work: every item names one that was seen before it, usually the last one, so
 * each is inserted directly after that.
 */
const inSequence = <A>(
  known: ReadonlyMap<string, A>,
  previousOf: (item: A) => string | undefined
): ReadonlyArray<string> | undefined => {
  if (known.has(ROOT)) return undefined
  const ids = Array.from(known.keys())
  /** The position of each item, once an item names another one than the last. */
  let places: Map<string, number> | undefined
  const placeOf = (id: string, until: number): number | undefined => {
    places ??= new Map(ids.map((one, at) => [one, at]))
    const place = places.get(id)
    return place === undefined || place < until ? place : NOT_YET
  }
  /** The item after each position; at the front, the first item. */
  const next = new Int32Array(ids.length + 1).fill(NOBODY)
  let last = ids.length
  let at = 0
  for (const item of known.values()) {
    const before = previousOf(item)
    const isNext = at > 0 && last === at - 1 && before === ids[last]
    const named = isNext || before === undefined ? undefined : before === ROOT ? ids.length : placeOf(before, at)
    if (named === NOT_YET) return undefined
    const place = named ?? last
    next[at] = next[place] ?? NOBODY
    next[place] = at
    if (place === last) last = at
    at += 1
  }
  const ordered: Array<string> = []
  for (let one = next[ids.length] ?? NOBODY; one !== NOBODY; one = next[one] ?? NOBODY) ordered.push(ids[one] ?? "")
  return ordered
}

const NOBODY = -1
const NOT_YET = -2

/**
 * For any references: each item with all items that follow it. Those that name nothing known come last, in the order in
 * which anything of them was first seen.
 */
export const byTree = <A>(
  known: ReadonlyMap<string, A>,
  previousOf: (item: A) => string | undefined
): ReadonlyArray<string> => {
  const followers = new Map<string, Array<string>>()
  const knownBefore = new Map<string, string>()
  for (const [id, item] of known) {
    const before = previousOf(item)
    if (before === undefined || (before !== ROOT && !known.has(before))) continue
    knownBefore.set(id, before)
    if (followers.get(before)?.push(id) === undefined) followers.set(before, [id])
  }

  const ordered = new Set<string>()
  const visit = (start: string): void => {
    const waiting = [start]
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (ordered.has(id)) continue
      ordered.add(id)
      for (const follower of followers.get(id) ?? []) waiting.push(follower)
    }
  }
  /** The first of those that an item follows; if they go in a cycle, one of them. */
  const firstBefore = (id: string): string => {
    const passed = new Set([id])
    let first = id
    for (let next = knownBefore.get(id); next !== undefined && !passed.has(next); next = knownBefore.get(next)) {
      passed.add(next)
      first = next
    }
    return first
  }
  visit(ROOT)
  for (const id of known.keys()) if (!ordered.has(id)) visit(firstBefore(id))
  return Array.from(ordered).filter((id) => known.has(id))
}
