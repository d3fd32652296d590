import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { refusalOf } from "../protocol/FunctionParameters.js"
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

/** The definition of a function in the form that the API accepts, or a sentence that says why there is none. */
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
  const none = (problem: string) => Either.left(`The parameters of ${name} have no JSON Schema. ${problem}`)
  try {
    const { problems, schema } = objectSchema(parameters)
    if (problems.length > 0) return none(problems.join(" "))
    // Only a `jsonSchema` annotation can be refused: all other schemas are written in a form that the API accepts.
    const refused = refusalOf(schema)
    return refused === undefined
      ? Either.right({ type: "function", name, description, parameters: schema })
      : none(`The API refuses it: ${refused.reason} Correct the jsonSchema annotation of the field.`)
  } catch (error) {
    // A recursive schema runs the application's code, which may not be ready.
    return none(`The schema threw an error: ${error instanceof Error ? error.message : String(error)}`)
  }
}
