/** The API accepts names of 1 to 64 of these characters. */
const maxLength = 64

/** Eight characters that differ where the texts differ: FNV-1a, in base 36. */
const hashOf = (text: string): string => {
  let hash = 0xcbf29ce484222325n
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(36).padStart(8, "0").slice(-8)
}

/**
 * The name of a server's tool for the model: `label__tool`. A name with other characters, or a longer one, ends with a
 * hash of it, so that two tools of one server do not get the same name.
 */
export const functionName = (label: string, tool: string): string => {
  const whole = `${label}__${tool}`
  const plain = whole.replace(/[^a-zA-Z0-9_-]/g, "_")
  if (plain === whole && whole.length <= maxLength) return whole
  return `${plain.slice(0, maxLength - 9)}_${hashOf(whole)}`
}
