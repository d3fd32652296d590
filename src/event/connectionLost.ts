/** The `reason` of a response that was lost with its connection. */
export const connectionLost = "connection_lost"
