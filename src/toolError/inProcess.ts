import * as Schema from "effect/Schema"

/** A value that stays in this process: its encoded form is `null`, and `keepFrom` hides it from what prints the error. */
export const Local = Schema.transform(Schema.Null, Schema.Unknown, {
  strict: true,
  decode: () => undefined,
  encode: () => null
})

/** Text that stays in this process. */
export const LocalText = Schema.transform(Schema.Literal("(kept in its process)"), Schema.String, {
  strict: true,
  decode: (text) => text,
  encode: () => "(kept in its process)" as const
})

/**
 * Whoever asks for these fields by their names has them; `JSON.stringify`, `console.log` and loggers, which are given
 * whole errors and events, do not.
 */
export const keepFrom = (error: object, ...names: ReadonlyArray<string>): void => {
  for (const name of names) Object.defineProperty(error, name, { enumerable: false })
  // The one that errors of Effect come with gives every field that the error was made of.
  Object.defineProperty(error, "toJSON", { value: () => ({ ...error }), enumerable: false })
}
