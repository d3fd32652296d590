/** Bytes that differ, the same ones each time, in a buffer of their own. */
export const sound = (bytes: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: bytes }, (_, index) => (index * 2_654_435_761) >>> 24)
