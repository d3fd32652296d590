/** The value as JSON; `undefined` if it cannot be written. */
export const written = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
