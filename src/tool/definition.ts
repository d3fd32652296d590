import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { acceptable } from "../protocol/acceptable.js"
import { refusalOf } from "../protocol/FunctionParameters.js"
import type { JsonObject } from "./constraint.js"
import { objectSchema } from "./dialect.js"

/**
 * The definition of a function for the API.
 *
 * @since 0.1.0
 * @category models
 */
export interface FunctionDefinition {
  readonly type: "function"
  readonly name: string
  readonly description: string
  /** JSON Schema of the arguments: an object, without `$schema` and without a reference at its root. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** One name that does not match this makes the API refuse a whole `session.update`. */
const validName = /^[a-zA-Z0-9_-]{1,64}$/

type Definition = Either.Either<FunctionDefinition, string>

/** The definition of a function in the form that the API accepts, or a sentence that says why there is none. */
export const functionDefinition = (
  name: string,
  description: string,
  parameters: Schema.Struct<Schema.Struct.Fields>
): Definition =>
  definition(name, description, () => {
    try {
      const { problems, schema } = objectSchema(parameters)
      if (problems.length > 0) return Either.left(problems.join(" "))
      // Only a `jsonSchema` annotation can be refused: all other schemas are written in a form that the API accepts.
      return accepted(schema, "Correct the jsonSchema annotation of the field.")
    } catch (error) {
      // A recursive schema runs the application's code, which may not be ready.
      return Either.left(`The schema threw an error: ${error instanceof Error ? error.message : String(error)}`)
    }
  })

/** The same for a function whose parameters are given as a JSON Schema. */
export const givenDefinition = (
  name: string,
  description: string,
  given: Either.Either<JsonObject, string>
): Definition =>
  definition(name, description, () =>
    Either.flatMap(given, (schema) => accepted(acceptable(schema), "Simplify the JSON Schema."))
  )

const accepted = (schema: JsonObject, remedy: string): Either.Either<JsonObject, string> => {
  const refused = refusalOf(schema)
  return refused === undefined ? Either.right(schema) : Either.left(`The API refuses it: ${refused.reason} ${remedy}`)
}

const definition = (
  name: string,
  description: string,
  parameters: () => Either.Either<JsonObject, string>
): Definition => {
  if (!validName.test(name)) {
    return Either.left(
      `${JSON.stringify(name)} is not a name that the API accepts. Use 1 to 64 letters, digits, underscores and dashes.`
    )
  }
  return Either.mapBoth(parameters(), {
    onLeft: (problem) => `The parameters of ${name} have no JSON Schema. ${problem}`,
    onRight: (schema): FunctionDefinition => ({ type: "function", name, description, parameters: schema })
  })
}
