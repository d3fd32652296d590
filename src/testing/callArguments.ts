import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import type * as Tool from "../Tool.js"
import { toldArguments } from "./toldArguments.js"

/** Text that a model might write and that is never valid: wrong fields, or not JSON. */
const wrong: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "{", "null", "[]", '"text"', '{"nobody_asked_for":1}', "{}"),
  fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value))
)

/** Valid arguments; `undefined` if the schema has no arbitrary. A model calls such a function all the same. */
const fitting = (ast: SchemaAST.AST): fc.Arbitrary<string> | undefined => {
  const schema = Schema.make<unknown, unknown>(ast)
  const encode = Schema.encodeEither(schema)
  try {
    return Arbitrary.make(schema).map((value) => {
      try {
        return Either.match(encode(value), {
          onLeft: () => "{}",
          onRight: (encoded) => JSON.stringify(encoded) ?? "{}"
        })
      } catch {
        // It is encoded with services, or asynchronously.
        return "{}"
      }
    })
  } catch {
    return undefined
  }
}

/** What is known of a function: its schema, and its definition for the model. */
interface Callable {
  readonly ast: SchemaAST.AST
  readonly definition: Tool.Tool["definition"]
}

/** The JSON Schema that a tool was made from; otherwise the one that the model gets. */
const toldBy = ({ ast, definition }: Callable): fc.Arbitrary<string> => {
  const given = Option.getOrUndefined(SchemaAST.getJSONSchemaAnnotation(ast))
  if (given !== undefined && SchemaAST.isDeclaration(ast)) return toldArguments({ ...given })
  return Either.isRight(definition) ? toldArguments(definition.right.parameters) : fc.constant("{}")
}

/** JSON text for a function with these parameters, usually valid. */
export const callArguments = (callable: Callable): fc.Arbitrary<string> => {
  const told = toldBy(callable)
  return fc.oneof(
    { weight: 4, arbitrary: fitting(callable.ast) ?? told },
    { weight: 1, arbitrary: told },
    { weight: 1, arbitrary: wrong }
  )
}
