import type { Response } from "../protocol/Response.js"

/** The pair in a response's metadata by which the session knows its own. */
export const requestKey = "effect_realtime_request"

/** What the application gave, without the pair that is the session's. */
export const ownMetadata = (metadata: Response["metadata"]): Readonly<Record<string, string>> | undefined => {
  if (metadata === undefined || metadata === null) return undefined
  const { [requestKey]: _, ...own } = metadata
  return own
}
