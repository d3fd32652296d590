/**
 * How long a writer without a sign of life still counts as alive, if nothing better is known and it chose nothing else.
 * This is three missed renewals: pauses of garbage collection or of the network are shorter.
 */
export const LEASE_MS = 15_000

/** How often a writer gives a sign of life, in milliseconds. */
export const renewalOf = (leaseMs: number): number => leaseMs / 3
