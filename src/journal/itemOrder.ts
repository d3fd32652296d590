/** The place of an item that comes before all others, in the protocol's word. */
const ROOT = "root"

/**
 * Puts items in the server's order. Each says at most which one it comes after; items become final in another order than
 * they stand, so that one may name an item that is only known later.
 *
 * Of two that come after the same one, the later stands closer to it, as if it had been put between. What names an item
 * that never comes, or itself by a detour, stands where it was first seen.
 *
 * @param previous which item each comes after, in the order in which they were first seen
 */
export const itemOrder = (previous: ReadonlyMap<string, string | undefined>): ReadonlyArray<string> =>
  inSequence(previous) ?? byTree(previous)

interface Node {
  readonly id: string
  next: Node | undefined
}

/** The usual case, and a fraction of the work: every item names one that was seen before it, so each is put right behind that. */
const inSequence = (previous: ReadonlyMap<string, string | undefined>): ReadonlyArray<string> | undefined => {
  if (previous.has(ROOT)) return undefined
  const root: Node = { id: ROOT, next: undefined }
  const nodes = new Map<string, Node>([[ROOT, root]])
  let last = root
  for (const [id, before] of previous) {
    const known = before === undefined ? undefined : nodes.get(before)
    if (known === undefined && before !== undefined && previous.has(before)) return undefined
    const place = known ?? last
    const node: Node = { id, next: place.next }
    place.next = node
    if (place === last) last = node
    nodes.set(id, node)
  }
  const ordered: Array<string> = []
  for (let node = root.next; node !== undefined; node = node.next) ordered.push(node.id)
  return ordered
}

/** Whatever names what: each item with all that come after it, and those that name nobody last. */
export const byTree = (previous: ReadonlyMap<string, string | undefined>): ReadonlyArray<string> => {
  const followers = new Map<string, Array<string>>()
  const loose: Array<string> = []
  for (const [id, before] of previous) {
    const isKnown = before !== undefined && (before === ROOT || previous.has(before))
    if (!isKnown) loose.push(id)
    else if (followers.get(before)?.push(id) === undefined) followers.set(before, [id])
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
  visit(ROOT)
  for (const id of loose) visit(id)
  // Those that are left come after each other.
  for (const id of previous.keys()) visit(id)
  return Array.from(ordered).filter((id) => previous.has(id))
}
