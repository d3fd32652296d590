import type { Response } from "../protocol/Response.js"

/** The metadata key by which the session recognizes responses to its own requests. */
export const requestKey = "effect_realtime_request"

/** The application's metadata, without the session's own pair. */
export const ownMetadata = (metadata: Response["metadata"]): Readonly<Record<string, string>> | undefined => {
  if (metadata === undefined || metadata === null) return undefined
  const { [requestKey]: _, ...own } = metadata
  return own
}
