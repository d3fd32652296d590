import * as Schema from "effect/Schema"

/**
 * A value that stays in this process: its encoded form is `null`, and `keepFrom` hides it when the error is printed.
 */
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
 * Code that reads these fields by name gets them. `JSON.stringify`, `console.log` and loggers, which get whole errors
 * and events, do not.
 */
export const keepFrom = (error: object, ...names: ReadonlyArray<string>): void => {
  for (const name of names) Object.defineProperty(error, name, { enumerable: false })
  // Effect's own `toJSON` would print every field that the error was made with.
  Object.defineProperty(error, "toJSON", { value: () => ({ ...error }), enumerable: false })
}
