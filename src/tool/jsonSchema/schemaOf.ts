import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Declaration, ParseOptions } from "effect/SchemaAST"
import { isObject, type JsonObject } from "./Keyword.js"
import type { Issue } from "./Outcome.js"
import type { Read } from "./read.js"

/**
 * Arguments that a JSON Schema describes: an object, whose fields have no types here.
 *
 * @since 0.1.0
 * @category models
 */
export interface Arguments {
  readonly [name: string]: unknown
}

/**
 * A schema for the arguments as the model writes them. Nothing is changed: all fields are kept, and no default is
 * filled in.
 */
export const schemaOf = (given: JsonObject, { check }: Read): Schema.Schema<Arguments> => {
  const parse = () => (value: unknown, options: ParseOptions, ast: Declaration) => {
    const outcome = check(value, { all: options.errors === "all" })
    if (outcome._tag === "Invalid") return ParseResult.fail(issueOf(ast, value, outcome.issues))
    return isObject(value) ? ParseResult.succeed(value) : ParseResult.fail(new ParseResult.Type(ast, value))
  }
  return Schema.declare([], { decode: parse, encode: parse }, { jsonSchema: given })
}

const issueOf = (ast: Declaration, value: unknown, issues: ReadonlyArray<Issue>): ParseResult.ParseIssue => {
  const [first = new ParseResult.Type(ast, value), ...others] = issues.map(
    ({ message, path: [key, ...keys] }): ParseResult.ParseIssue => {
      const issue = new ParseResult.Type(ast, value, message)
      return key === undefined ? issue : new ParseResult.Pointer([key, ...keys], value, issue)
    }
  )
  return others.length === 0 ? first : new ParseResult.Composite(ast, value, [first, ...others])
}
