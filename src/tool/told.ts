/** The description of one value, and how several are combined. */
import type * as AST from "effect/SchemaAST"
import type { JsonObject } from "./constraint.js"
import { notesOf } from "./notes.js"
import { joined, own } from "./words.js"

export interface Told {
  readonly schema: JsonObject
  /** From the outside in. */
  readonly said: ReadonlyArray<string>
  /** `title`, `default` and `examples`. */
  readonly notes: JsonObject
}

export const plain = (ast: AST.AST, schema: JsonObject, words: ReadonlyArray<string> = []): Told => ({
  schema,
  said: [...own(ast), ...words],
  notes: notesOf(ast)
})

export const around = (ast: AST.AST, told: Told | undefined, words: ReadonlyArray<string> = []): Told | undefined =>
  told === undefined
    ? undefined
    : { schema: told.schema, said: [...own(ast), ...words, ...told.said], notes: { ...told.notes, ...notesOf(ast) } }

export const finished = ({ notes, said, schema }: Told): JsonObject => {
  const description = joined(said)
  const more = { ...notes, ...(description === "" ? {} : { description }) }
  if (Object.keys(more).length === 0) return schema
  // The API accepts no other keywords beside a reference.
  return "$ref" in schema ? { anyOf: [schema], ...more } : { ...schema, ...more }
}

export const choice = (values: ReadonlyArray<string | number | boolean | null>): JsonObject =>
  values.includes(null) ? { type: "null" } : { type: typeof values[0], enum: [...values] }

export const enums = (ast: AST.Enums): Told | undefined => {
  const values = [...new Set(ast.enums.map(([, value]) => value))]
  const kinds = [
    values.filter((value) => typeof value === "string"),
    values.filter((value) => typeof value === "number")
  ]
  const choices = kinds.filter((kind) => kind.length > 0).map(choice)
  // A number alone has no meaning.
  const names = ast.enums.filter(([, value]) => typeof value === "number").map(([name, value]) => `${value} is ${name}`)
  return choices.length === 0
    ? undefined
    : plain(ast, anyOf(choices), names.length === 0 ? [] : [`${names.join(", ")}.`])
}

/** A union. Plain choices of the same type become one choice, and duplicates are removed. */
export const anyOf = (members: ReadonlyArray<JsonObject>): JsonObject => {
  const distinct = new Map<string, JsonObject>()
  for (const member of members.flatMap(alternatives)) {
    const key = isChoice(member) ? `enum of ${member["type"]}` : JSON.stringify(member)
    const other = distinct.get(key)
    distinct.set(
      key,
      isChoice(other) && isChoice(member) ? { ...member, enum: [...new Set([...other.enum, ...member.enum])] } : member
    )
  }
  const [first = {}, ...others] = distinct.values()
  return others.length === 0 ? first : { anyOf: [first, ...others] }
}

const alternatives = (schema: JsonObject): ReadonlyArray<JsonObject> =>
  Array.isArray(schema["anyOf"]) && Object.keys(schema).length === 1 ? schema["anyOf"] : [schema]

const isChoice = (
  schema: JsonObject | undefined
): schema is { readonly [key: string]: unknown; readonly enum: ReadonlyArray<unknown> } =>
  schema !== undefined && Array.isArray(schema["enum"]) && Object.keys(schema).length === 2
