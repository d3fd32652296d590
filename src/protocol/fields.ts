/**
 * Building blocks of the protocol's schemas: optional fields, fields that may be null, and open lists of strings.
 *
 * @since 0.1.0
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/**
 * A field that may be left out, but must not be `null` or `undefined` if it is present.
 *
 * @since 0.1.0
 * @category fields
 */
export const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

/**
 * A field that may be left out or be `null`: servers use both, and often mix them.
 *
 * @since 0.1.0
 * @category fields
 */
export const nullable = <A, I, R>(schema: Schema.Schema<A, I, R>) =>
  Schema.optionalWith(Schema.NullOr(schema), { exact: true })

/**
 * A string with known values, for completion and narrowing. Other strings are accepted too, so that a value that the
 * server adds later does not make its event undecodable.
 *
 * @since 0.1.0
 * @category fields
 */
export const openEnum = <const Known extends readonly [string, ...Array<string>]>(
  ...known: Known
): Schema.Schema<Known[number] | (string & {})> =>
  Schema.make<Known[number] | (string & {})>(AST.stringKeyword).annotations({
    description: "a string",
    arbitrary: () => (fc) => fc.oneof(fc.constantFrom<Known[number] | (string & {})>(...known), fc.string())
  })

/**
 * A value that the protocol passes on unchanged.
 *
 * @since 0.1.0
 * @category fields
 */
export const Json = Schema.Unknown.annotations({ arbitrary: () => (fc) => fc.jsonValue() })

/**
 * A count, an index or a time in the protocol: a whole number, zero or more.
 *
 * @since 0.1.0
 * @category fields
 */
export const whole = Schema.NonNegativeInt

/**
 * The metadata that an application may attach to a session's trace or to a response. The server takes at most 16 pairs,
 * with keys of up to 64 and values of up to 512 characters.
 *
 * @since 0.1.0
 * @category fields
 */
export const Metadata = Schema.Record({
  key: Schema.String,
  value: Schema.String
})

/**
 * The fields of every server event. `event_id` is not required, because few clients need it and one event never has it.
 *
 * @since 0.1.0
 * @category fields
 */
export const serverEvent = <const Type extends string>(type: Type) => ({
  type: Schema.Literal(type),
  event_id: nullable(Schema.String)
})

/**
 * Whether a value fits a schema. It never throws, although a union turns its members' discriminating field into text,
 * and `{"toString": 1}` or a deeply nested array throws there.
 *
 * @since 0.1.0
 * @category guards
 */
export const guard = <A, I>(schema: Schema.Schema<A, I>): ((value: unknown) => value is A) => {
  const is = ParseResult.is(schema)
  return (value): value is A => {
    try {
      return is(value)
    } catch {
      return false
    }
  }
}
