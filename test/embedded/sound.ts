/** PCM16 at 24 kHz: a square wave of 500 Hz, or silence at zero. */
export const sound = (ms: number, peak = 8_000): Buffer => {
  const bytes = Buffer.alloc(ms * 48)
  for (let index = 0; index < ms * 24; index++) bytes.writeInt16LE(index % 48 < 24 ? peak : -peak, index * 2)
  return bytes
}

export const base64 = (...pieces: ReadonlyArray<Buffer>): string => Buffer.concat(pieces).toString("base64")
