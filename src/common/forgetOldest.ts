/** Forgets the oldest beyond `size`: maps and sets keep the order of insertion. */
export const forgetOldest = (collection: Map<string, unknown> | Set<string>, size: number): void => {
  for (const oldest of collection.keys()) {
    if (collection.size <= size) return
    collection.delete(oldest)
  }
}
