/** The fields of a function's arguments, in any form in which they may be given. */
import * as Schema from "effect/Schema"
import type { Hint } from "../options/Hint.js"
import { OptionsInvalid } from "../options/OptionsInvalid.js"
import { shown } from "../options/shown.js"

/** Fields, or a struct of them. */
export type Parameters<P extends Schema.Struct.Fields> =
  | P
  | Schema.Struct<P>
  | Hint<"Give the fields, such as { city: Schema.String }, or a Schema.Struct of them">

/**
 * Returns a struct. Throws `OptionsInvalid` for anything else, such as a JSON Schema or a schema of another library.
 *
 * @param of the constructor that was given the option, such as `Tool.make("get_weather")`
 */
export const structOf = (of: string, option: string, given: unknown): Schema.Struct<Schema.Struct.Fields> => {
  const fields = isStruct(given) ? given.fields : (given ?? {})
  if (isFields(fields)) return Schema.Struct(fields)
  throw new OptionsInvalid({
    of,
    problems: [
      {
        option,
        value: shown(given),
        message: `\`${option}\` should be fields, such as { city: Schema.String }, or a Schema.Struct of them.`
      }
    ]
  })
}

/** The struct's own annotations are not used: the API gets the fields, each with its own annotations. */
const isStruct = (given: unknown): given is { readonly fields: unknown } => Schema.isSchema(given) && "fields" in given

const isFields = (given: unknown): given is Schema.Struct.Fields =>
  typeof given === "object" &&
  given !== null &&
  !Schema.isSchema(given) &&
  Object.values(given).every((field) => Schema.isSchema(field) || Schema.isPropertySignature(field))
