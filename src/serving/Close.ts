/** Why a server closes a socket: a code, and a reason for people to read. */
export interface Close {
  readonly code: number
  readonly reason: string
}

/** The longest reason that fits a CLOSE frame, in bytes (RFC 6455, section 5.5). */
const maxReasonBytes = 123

const encoder = new TextEncoder()

/** Shortens a reason to what fits a CLOSE frame. */
export const briefly = (reason: string): string => {
  const { read } = encoder.encodeInto(reason, new Uint8Array(maxReasonBytes))
  return reason.slice(0, read)
}
