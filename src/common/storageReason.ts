/**
 * Why a database refused something, as a sentence. The client's own message says what was asked of it; the message of
 * its cause says why it failed.
 */
export const storageReason = (error: unknown): string => {
  if (!(error instanceof Error)) return `${String(error)}.`
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}.` : `${error.message}.`
}
