import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { documentOf } from "./documentOf.js"
import type { JsonObject } from "./Keyword.js"
import { read, type Unchecked } from "./read.js"
import { type Arguments, schemaOf } from "./schemaOf.js"

/** A JSON Schema of a function's arguments, as the application or another server gave it. */
export interface Given {
  /** The JSON Schema, or why it cannot be used. */
  readonly document: Either.Either<JsonObject, string>
  /** The same as a schema. Without a document, it accepts every object. */
  readonly parameters: Schema.Schema<Arguments>
  readonly unchecked: ReadonlyArray<Unchecked>
}

export const parametersOf = (given: unknown): Given => {
  const document = documentOf(given)
  const schema = Either.getOrElse(document, (): JsonObject => ({}))
  const found = read(schema)
  return {
    document: found.problems.length === 0 ? document : Either.left(found.problems.join(" ")),
    parameters: schemaOf(schema, found),
    unchecked: found.unchecked
  }
}
