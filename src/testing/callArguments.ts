import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"

/** What a model might write that fits no parameters, or is no JSON at all. */
const wrong: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("", "{", "null", "[]", '"text"', '{"nobody_asked_for":1}', "{}"),
  fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value))
)

/** A schema that says nothing of how to make values up has none. */
const fitting = (ast: SchemaAST.AST): fc.Arbitrary<string> => {
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
        // It is encoded with services, or over time.
        return "{}"
      }
    })
  } catch {
    return fc.constant("{}")
  }
}

/** JSON text for a function with these parameters: most of it fits. */
export const callArguments = ({ ast }: { readonly ast: SchemaAST.AST }): fc.Arbitrary<string> =>
  fc.oneof({ weight: 5, arbitrary: fitting(ast) }, { weight: 1, arbitrary: wrong })
