import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { refusalOf } from "../protocol/FunctionParameters.js"
import { objectSchema } from "./dialect.js"

/**
 * What the API is told about a function.
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
  const none = (problem: string) => Either.left(`The parameters of ${name} have no JSON Schema. ${problem}`)
  try {
    const { problems, schema } = objectSchema(parameters)
    if (problems.length > 0) return none(problems.join(" "))
    // Only what somebody annotated a field with can be refused: nothing else is told in a form that is.
    const refused = refusalOf(schema)
    return refused === undefined
      ? Either.right({ type: "function", name, description, parameters: schema })
      : none(`The API refuses it: ${refused.reason} Mend the jsonSchema that the field is annotated with.`)
  } catch (error) {
    // A recursive schema runs code of the application's, which may not be ready.
    return none(`Asked for it, they throw: ${error instanceof Error ? error.message : String(error)}`)
  }
}
