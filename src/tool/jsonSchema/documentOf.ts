import * as Either from "effect/Either"
import { isObject, type JsonObject } from "./Keyword.js"
import { maxDepth } from "./read.js"

/** A JSON Schema as plain JSON, which nobody changes afterwards, or why it is none. */
export const documentOf = (given: unknown): Either.Either<JsonObject, string> => {
  let document: unknown
  try {
    document = JSON.parse(JSON.stringify(given) ?? "null")
  } catch (error) {
    return Either.left(`It is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isObject(document)) return Either.left("A JSON Schema of arguments should be an object.")
  if (nests(document)) return Either.left(`It nests more than ${maxDepth} levels deep.`)
  const { type } = document
  return type === undefined || type === "object" || (Array.isArray(type) && type.includes("object"))
    ? Either.right(document)
    : Either.left('Its root should have `type: "object"`, because arguments are an object.')
}

const nests = (document: JsonObject): boolean => {
  let level: ReadonlyArray<unknown> = [document]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return true
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []))
  }
  return false
}
