/**
 * The two telephone codes of G.711 (ITU-T), sample by sample.
 */

const BIAS = 0x84
const CLIP = 32_635

export const toMuLaw = (sample: number): number => {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(CLIP, Math.abs(sample)) + BIAS
  const exponent = 24 - Math.clz32(magnitude)
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 0x0f)) & 0xff
}

export const fromMuLaw = (byte: number): number => {
  const code = ~byte & 0xff
  const magnitude = ((((code & 0x0f) << 3) + BIAS) << ((code >> 4) & 0x07)) - BIAS
  return (code & 0x80) === 0 ? magnitude : -magnitude
}

export const toALaw = (sample: number): number => {
  const sign = sample < 0 ? 0 : 0x80
  const magnitude = Math.min(32_767, sample < 0 ? -sample - 1 : sample)
  const exponent = Math.max(0, 24 - Math.clz32(magnitude))
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f
  return (sign | (exponent << 4) | mantissa) ^ 0x55
}

export const fromALaw = (byte: number): number => {
  const code = byte ^ 0x55
  const exponent = (code >> 4) & 0x07
  const mantissa = ((code & 0x0f) << 4) + 8
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1)
  return (code & 0x80) === 0 ? -magnitude : magnitude
}
