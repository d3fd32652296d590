/**
 * How long a writer that gives no sign of life still counts as alive, where nothing better is known of it. Three missed
 * renewals: a pause of garbage collection or of the network is shorter.
 */
export const EXPIRY_MS = 15_000

/** How often a writer gives a sign of life. */
export const RENEWAL_MS = 5_000

/** What a writer is told whose place was taken. */
export const LOST = "Another writer took the journal over, as this one had given no sign of life. Open it again."
