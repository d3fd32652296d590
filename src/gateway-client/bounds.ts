/** How much of a call a client holds, where no option says so. The guide `docs/bounds.md` says what happens beyond. */

/** Events and chunks of audio that a reader may be behind, by default. */
export const defaultCapacity = 4_096
/** Bytes that may wait for the network before audio from the microphone is dropped. */
export const maxBufferedBytes = 1_048_576
/** Commands that may wait for an answer. */
export const maxWaiting = 256
/** Bytes of these commands. They are sent at once on the next socket, where a gateway takes 2 MiB at once by default. */
export const maxWaitingBytes = 1_048_576
/** Content parts whose latest playback report is sent again on the next socket. */
export const maxReports = 64
/** Chunks of 20 ms of a microphone that may wait for their reader. */
export const maxChunks = 50
/** Seconds of audio that may wait for a speaker. */
export const maxWaitingSeconds = 600
