/** The failure of a call as text. A tool's own failure stays in the server's process, so it is read from the output. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

const Told = Schema.Struct({ error: Schema.Struct({ type: Schema.String, message: Schema.String }) })
const read = Schema.decodeUnknownEither(Schema.parseJson(Told))

export interface Failure {
  readonly name: string
  readonly message: string
}

/** @param output the output that the model read, if any */
export const failureOf = (
  error: { readonly _tag: string; readonly message: string },
  output: string | undefined
): Failure => {
  const told = error._tag === "ToolFailure" ? read(output) : undefined
  return told === undefined || Either.isLeft(told)
    ? { name: error._tag, message: error.message }
    : { name: `ToolFailure/${told.right.error.type}`, message: told.right.error.message }
}
