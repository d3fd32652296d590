/** How much of a phone call is held, where no option says so. The guide `docs/bounds.md` says what happens beyond. */

/** The longest frame of a vendor, in bytes. 20 ms of audio take less than 1,000. */
export const maxFrameBytes = 65_536
/** Events of a stream that its reader has not taken. 20 seconds of audio in frames of 20 ms are 1,000. */
export const maxWaitingEvents = 1_024
/** Seconds of the agent's audio that wait to be sent to the vendor. */
export const maxWaitingSeconds = 600
/** Milliseconds of silence that replace missing audio of the caller, per gap. */
export const maxGapMs = 10_000
/** Content parts that are remembered. */
export const maxParts = 64
/** Digits that nobody has collected. */
export const maxWaitingDigits = 64
/** Bytes that wait for the network before the vendor is disconnected. A minute of µ-law in base64 takes 640,000. */
export const maxBufferedBytes = 1_048_576
/** Events of a call that a reader has not read. */
export const maxUnreadEvents = 256
/** Reports of what was heard that the session has not taken. */
export const maxUnreported = 1_024
/** Milliseconds of a recording that wait to be written. */
export const maxUnwrittenMs = 10_000
/** Tokens that wait for their stream. */
export const maxTokens = 1_024
/** The longest webhook, in bytes. */
export const maxWebhookBytes = 65_536
/** Calls at a time, by default. */
export const maxCalls = 100
