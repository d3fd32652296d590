/** Bytes in order, taken in pieces of any size. The bytes are not copied until a piece needs two of them. */
export class ByteQueue {
  #chunks: Array<Uint8Array> = []
  #length = 0

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#length += bytes.length
  }

  /** These come before all others. */
  unshift(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#chunks.unshift(bytes)
    this.#length += bytes.length
  }

  /** At most so many bytes. */
  take(count: number): Uint8Array {
    const size = Math.min(count, this.#length)
    const first = this.#chunks[0]
    if (first !== undefined && first.length > size) {
      this.#chunks[0] = first.subarray(size)
      this.#length -= size
      return first.subarray(0, size)
    }
    const piece = new Uint8Array(size)
    for (let filled = 0; filled < size; ) {
      const chunk = this.#chunks[0] ?? piece
      const part = chunk.subarray(0, size - filled)
      piece.set(part, filled)
      filled += part.length
      if (part.length < chunk.length) this.#chunks[0] = chunk.subarray(part.length)
      else this.#chunks.shift()
    }
    this.#length -= size
    return piece
  }

  clear(): void {
    this.#chunks = []
    this.#length = 0
  }
}
