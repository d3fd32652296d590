/** The shard group of an address. It is made of the address alone, so that a node that starts again has the same. */
import * as Hash from "effect/Hash"

export interface Address {
  readonly host: string
  readonly port: number
}

export const textOf = ({ host, port }: Address): string => `${host}:${port}`

/** `@effect/cluster` keeps a group, and a shard's id of it, in 50 characters. */
const maxLength = 40

/** An entity's id is its group, a slash, and the rest. */
export const groupOf = (address: Address): string => {
  const whole = `n${textOf(address)}`.replaceAll("/", "_")
  if (whole.length <= maxLength) return whole
  const digest = [Hash.string(whole), Hash.string(`${whole} again`)].map((hash) => (hash >>> 0).toString(36)).join("")
  return `${whole.slice(0, maxLength - digest.length - 1)}~${digest}`
}
