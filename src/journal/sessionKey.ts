import * as Either from "effect/Either"

/** File systems allow names of 255 bytes, and indexed columns are as long; some of that is for prefixes. */
const MAX_LENGTH = 200

/**
 * A session id as a name that every file system and database can distinguish from all others: lower-case letters,
 * digits, `_`, `-`, and two escapes. It is never a path, and does not depend on case, normalisation or invalid Unicode.
 * `Ab.c` is `+ab~002ec`.
 */
export const encode = (sessionId: string): Either.Either<string, string> => {
  const key = sessionId.replace(/[^a-z0-9_-]/g, (unit) =>
    /[A-Z]/.test(unit) ? `+${unit.toLowerCase()}` : `~${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
  return key.length <= MAX_LENGTH
    ? Either.right(key)
    : Either.left(
        `Its id is too long: it counts ${key.length} characters, and ${MAX_LENGTH} are allowed. Lower-case letters, digits, _ and - count once, capitals twice, and others five times. Use a shorter id.`
      )
}

/** Returns the session id, if this is a key. */
export const decode = (key: string): string | undefined => {
  const sessionId = key.replace(/\+([a-z])|~([0-9a-f]{4})/g, (_, capital: string | undefined, unit: string) =>
    capital === undefined ? String.fromCharCode(Number.parseInt(unit, 16)) : capital.toUpperCase()
  )
  return Either.getOrUndefined(encode(sessionId)) === key ? sessionId : undefined
}
