/** What one server may take up, by default or at all. */

/** How many of its tools the model gets. */
export const maxTools = 128

/** Pages of its list that are read: it may list without end. */
export const maxPages = 100

/** Characters of a tool's schema, as JSON: longer ones would leave no room for the conversation. */
export const maxSchemaLength = 100_000

/** Reports of one call that are not passed on yet. */
export const maxWaitingReports = 16

/** Events that a reader has not read. */
export const maxUnreadEvents = 256

/** Events that a reader who comes later still gets. */
export const maxReplayedEvents = 16

/** How often a session is asked again to take a new list, while one of its agents hands over to another. */
export const maxTakes = 30

/** Tools of its list that are read at all. */
export const maxListed = 10_000

/** Characters of a tool's name at the server, and of the label of a server. */
export const maxNameLength = 200

/** Bytes of one message over HTTP. Over stdio, the official client has the same limit. */
export const maxMessageBytes = 10_485_760

/** How long a server's list is left alone after it was read because it had changed. */
export const relistAfter = "1 second"

/** Characters of why something failed, as the server says it, and of what it wrote to its standard error. */
export const maxReason = 500

/** Characters of what is not of the protocol. */
export const maxNoise = 200

/** How often a lost connection is made again in a row. */
export const maxRestarts = 5
