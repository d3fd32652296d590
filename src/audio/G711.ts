/**
 * G.711, the encoding of the telephone network: µ-law (`audio/pcmu`, North America and Japan) and A-law (`audio/pcma`,
 * everywhere else). One byte per sample, mono, 8,000 samples per second.
 *
 * The curves follow ITU-T G.711 as its reference software (G.191, module G711) computes them: 14 and 13 significant bits,
 * left-justified in 16.
 *
 * @since 0.1.0
 */

/** Added to each 14-bit magnitude, so that the segments of the µ-law curve begin at powers of two. */
const MU_BIAS = 33
/** The largest biased 13-bit magnitude: louder samples are clipped. */
const MU_CLIP = 0x1fff

const expandMu = (code: number): number => {
  const inverted = ~code
  const exponent = (inverted >> 4) & 7
  const mantissa = inverted & 15
  const step = 4 << (exponent + 1)
  const magnitude = (0x80 << exponent) + step * mantissa + step / 2 - 4 * MU_BIAS
  return code < 0x80 ? 0 - magnitude : magnitude
}

/** Negative samples are inverted, not negated: the curve has two zeros, and -1 belongs to the negative one. */
const compressMu = (sample: number): number => {
  const magnitude = Math.min(((sample < 0 ? ~sample : sample) >> 2) + MU_BIAS, MU_CLIP)
  const segment = 27 - Math.clz32(magnitude)
  const mantissa = (magnitude >> segment) & 15
  return ((8 - segment) << 4) | (15 - mantissa) | (sample < 0 ? 0 : 0x80)
}

/** Every second bit of an A-law byte is inverted on the line (ITU-T G.711, section 3). */
const EVEN_BITS = 0x55

const expandA = (code: number): number => {
  const magnitude = (code ^ EVEN_BITS) & 0x7f
  const exponent = magnitude >> 4
  const mantissa = magnitude & 15
  const linear = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1)
  return code < 0x80 ? 0 - linear : linear
}

const compressA = (sample: number): number => {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4
  const exponent = Math.max(0, 28 - Math.clz32(magnitude))
  const code = exponent === 0 ? magnitude : (exponent << 4) | ((magnitude >> (exponent - 1)) & 15)
  return (code | (sample < 0 ? 0 : 0x80)) ^ EVEN_BITS
}

interface Law {
  readonly expand: (code: number) => number
  readonly compress: (sample: number) => number
  /** How many low bits of a 16-bit sample the curve ignores. */
  readonly ignoredBits: number
}

/** Tables for both directions, filled on first use: 512 bytes to decode, 16 kB (µ-law) or 4 kB (A-law) to encode. */
const codec = ({ expand, compress, ignoredBits }: Law) => {
  const half = 32_768 >> ignoredBits
  let linear: Int16Array | undefined
  let codes: Uint8Array | undefined
  return {
    decode: (bytes: Uint8Array): Int16Array => {
      linear ??= Int16Array.from({ length: 256 }, (_, code) => expand(code))
      const table = linear
      const samples = new Int16Array(bytes.length)
      for (let index = 0; index < samples.length; index++) samples[index] = table[bytes[index] ?? 0] ?? 0
      return samples
    },
    encode: (samples: Int16Array): Uint8Array => {
      codes ??= Uint8Array.from({ length: 2 * half }, (_, index) => compress((index - half) << ignoredBits))
      const table = codes
      const bytes = new Uint8Array(samples.length)
      for (let index = 0; index < bytes.length; index++) {
        bytes[index] = table[((samples[index] ?? 0) >> ignoredBits) + half] ?? 0
      }
      return bytes
    }
  }
}

const mu = /*#__PURE__*/ codec({ expand: expandMu, compress: compressMu, ignoredBits: 2 })
const a = /*#__PURE__*/ codec({ expand: expandA, compress: compressA, ignoredBits: 4 })

/**
 * Decodes µ-law bytes to samples from -32,124 to 32,124. Both 0xFF (silence) and 0x7F are 0.
 *
 * @since 0.1.0
 * @category G.711
 */
export const decodePcmu: (bytes: Uint8Array) => Int16Array = mu.decode

/**
 * Encodes samples as µ-law bytes. Silence is 0xFF.
 *
 * @since 0.1.0
 * @category G.711
 */
export const encodePcmu: (samples: Int16Array) => Uint8Array = mu.encode

/**
 * Decodes A-law bytes to samples from -32,256 to 32,256. The softest are 8 (0xD5, silence) and -8; there is no 0.
 *
 * @since 0.1.0
 * @category G.711
 */
export const decodePcma: (bytes: Uint8Array) => Int16Array = a.decode

/**
 * Encodes samples as A-law bytes. Silence is 0xD5.
 *
 * @since 0.1.0
 * @category G.711
 */
export const encodePcma: (samples: Int16Array) => Uint8Array = a.encode
