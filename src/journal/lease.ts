/**
 * How long a writer that gives no sign of life still counts as alive, where nothing better is known of it and it asked
 * for nothing else. Three missed renewals: a pause of garbage collection or of the network is shorter.
 */
export const LEASE_MS = 15_000

/** How often a writer gives a sign of life. */
export const renewalOf = (leaseMs: number): number => leaseMs / 3
