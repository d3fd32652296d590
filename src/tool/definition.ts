import * as Either from "effect/Either"
import * as JSONSchema from "effect/JSONSchema"
import type * as Schema from "effect/Schema"

/** What the API is told about a function. */
export interface FunctionDefinition {
  readonly type: "function"
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments: an object, without `$schema` and without a reference at its root. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** The API refuses a whole `session.update` for one name that does not match this. */
const validName = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * The definition of a function in the form that the API accepts, or a sentence that says why there is none.
 */
export const functionDefinition = (
  name: string,
  description: string,
  parameters: Schema.Struct<Schema.Struct.Fields>
): Either.Either<FunctionDefinition, string> => {
  if (!validName.test(name)) {
    return Either.left(
      `${JSON.stringify(name)} is not a name that the API accepts. Use 1 to 64 letters, digits, underscores and dashes.`
    )
  }
  return Either.try({
    try: () => ({ type: "function", name, description, parameters: jsonSchema(parameters) }) as const,
    catch: (error) =>
      `The parameters of ${name} have no JSON Schema. ${error instanceof Error ? firstSentences(error.message) : ""}` +
      " Use types that JSON has, or annotate the field with a jsonSchema."
  })
}

const jsonSchema = (parameters: Schema.Struct<Schema.Struct.Fields>): Record<string, unknown> => {
  // An empty struct is any object to Effect, lists included: its JSON Schema says so, and the API refuses that.
  if (Reflect.ownKeys(parameters.fields).length === 0) {
    return { type: "object", properties: {}, required: [], additionalProperties: false }
  }
  const definitions: Record<string, JSONSchema.JsonSchema7> = {}
  const root = JSONSchema.fromAST(parameters.ast, { definitions, topLevelReferenceStrategy: "skip" })
  return Object.keys(definitions).length === 0 ? { ...root } : { ...root, $defs: definitions }
}

/** JSONSchema explains itself over several lines: where, what, and how. One line is enough here. */
const firstSentences = (message: string): string => message.split("\n").filter(Boolean).slice(0, 3).join(" ")
