/**
 * The words of which the protocol's schemas are made: "optional", "may be null", "this list may grow".
 *
 * @since 0.1.0
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/**
 * A field that may be left out, but is not `null` or `undefined` when it is there.
 *
 * @since 0.1.0
 * @category fields
 */
export const optional = <A, I, R>(schema: Schema.Schema<A, I, R>) => Schema.optionalWith(schema, { exact: true })

/**
 * A field that may be left out or be `null`: how servers say "nothing", often in both ways.
 *
 * @since 0.1.0
 * @category fields
 */
export const nullable = <A, I, R>(schema: Schema.Schema<A, I, R>) =>
  Schema.optionalWith(Schema.NullOr(schema), { exact: true })

/**
 * A string whose known values are listed for completion and narrowing. Any other string is accepted too, so that a
 * member which the server adds later does not make its event undecodable.
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
 * A value that the protocol passes on as it is.
 *
 * @since 0.1.0
 * @category fields
 */
export const Json = Schema.Unknown.annotations({ arbitrary: () => (fc) => fc.jsonValue() })

/**
 * A count, an index or a time on the wire: a whole number, zero or more.
 *
 * @since 0.1.0
 * @category fields
 */
export const whole = Schema.NonNegativeInt

/**
 * The pairs that an application may attach to a session's trace or a response. The server keeps at most 16, with keys
 * of up to 64 and values of up to 512 characters.
 *
 * @since 0.1.0
 * @category fields
 */
export const Metadata = Schema.Record({
  key: Schema.String,
  value: Schema.String
})

/**
 * What every server event has. Few clients need `event_id`, and one event never carries it: it is never required.
 *
 * @since 0.1.0
 * @category fields
 */
export const serverEvent = <const Type extends string>(type: Type) => ({
  type: Schema.Literal(type),
  event_id: nullable(Schema.String)
})

/**
 * Whether a value is as a schema says. Total: on the way a union turns its members' discriminating field into text, and
 * `{"toString": 1}`, or an array that nests deeply, throws there.
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
