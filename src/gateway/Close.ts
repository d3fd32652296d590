/** Why the gateway closes a socket: a code of `Protocol.closeCodes`, and a reason for whoever looks. */
export interface Close {
  readonly code: number
  readonly reason: string
}

/** What a CLOSE frame has room for, in bytes (RFC 6455, 5.5). */
const maxReasonBytes = 123

const encoder = new TextEncoder()

/** The beginning of a reason that a CLOSE frame has room for. */
export const briefly = (reason: string): string => {
  const { read } = encoder.encodeInto(reason, new Uint8Array(maxReasonBytes))
  return reason.slice(0, read)
}
