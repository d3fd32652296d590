import { Validator } from "@cfworker/json-schema"
import { Ajv2020 } from "ajv/dist/2020.js"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import { refusalOf } from "../../src/protocol/FunctionParameters.js"
import { functionDefinition } from "../../src/tool/definition.js"
import { numRuns } from "../runs.js"
import { parameters } from "./schemas.js"

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** All that is told in, beside what an author writes into a `jsonSchema`. Nothing else is known to be taken. */
const spoken = new Set([
  ...["type", "enum", "anyOf", "$ref", "description", "title", "default", "examples"],
  ...["properties", "required", "additionalProperties", "items", "minItems", "maxItems"],
  ...["minLength", "maxLength", "pattern", "format"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
])

/** What the API refuses, found without the code that the library has for it. */
const faultsOf = (schema: unknown, at: string): ReadonlyArray<string> => {
  if (!isObject(schema)) return [`${at} is no object`]
  const faults = Object.keys(schema).flatMap((key) => (spoken.has(key) ? [] : [`${at} has ${key}`]))
  if (schema["type"] === "array" && !isObject(schema["items"])) faults.push(`${at} has no items`)
  if (typeof schema["type"] !== "string" && schema["type"] !== undefined) faults.push(`${at} has several types`)
  if ("$ref" in schema && Object.keys(schema).length > 1) faults.push(`${at} has more than a reference`)
  if (/\(\?(?!:)|\\[pPk\d]/.test(String(schema["pattern"] ?? ""))) faults.push(`${at} has ${schema["pattern"]}`)
  const { additionalProperties, anyOf, items, properties } = schema
  return [
    ...faults,
    ...(items === undefined ? [] : faultsOf(items, `${at}.items`)),
    ...(isObject(additionalProperties) ? faultsOf(additionalProperties, `${at}.*`) : []),
    ...(Array.isArray(anyOf) ? anyOf.flatMap((one, index) => faultsOf(one, `${at}.${index}`)) : []),
    ...Object.entries(isObject(properties) ? properties : {}).flatMap(([name, one]) => faultsOf(one, `${at}.${name}`))
  ]
}

const faultsOfRoot = ({ $defs = {}, ...root }: JsonObject): ReadonlyArray<string> => [
  ...(root["type"] === "object" && isObject(root["properties"]) ? [] : ["the root is no object"]),
  ...["oneOf", "anyOf", "allOf", "enum", "const", "not"]
    .filter((key) => key in root)
    .map((key) => `the root has ${key}`),
  ...faultsOf(root, "root"),
  ...Object.entries(isObject($defs) ? $defs : {}).flatMap(([name, one]) => faultsOf(one, name))
]

/** Every description, in one text. */
const allSaid = (schema: unknown): string => {
  const texts: Array<string> = []
  JSON.stringify(schema, (key, value: unknown) => {
    if (key === "description" && typeof value === "string") texts.push(value)
    return value
  })
  return texts.join("\n")
}

/** A value as JSON: nothing if JSON cannot represent it. */
const asJson = (value: unknown): JsonObject | undefined => {
  // What could not be encoded.
  if (value === undefined) return undefined
  let isSaid = true
  const text = JSON.stringify(value, function (this: unknown, _, inner: unknown) {
    if (typeof inner === "number" && !Number.isFinite(inner)) isSaid = false
    if (inner === undefined && Array.isArray(this)) isSaid = false
    return inner
  })
  const parsed: unknown = JSON.parse(text)
  return isSaid && isObject(parsed) ? parsed : undefined
}

describe("What a tool's parameters are told as", () => {
  it("is accepted by two validators, is true of what is encoded, and keeps every description", {
    timeout: 300_000
  }, () => {
    const ajv = new Ajv2020({ strict: true })
    for (const format of ["email", "uuid"]) ajv.addFormat(format, true)
    let told = 0
    const property = fc.property(parameters, fc.integer(), ({ descriptions, of, source }, seed) => {
      const struct = Schema.Struct(of)
      const definition = functionDefinition("made_up", "Made up", struct)
      if (Either.isLeft(definition)) throw new Error(`${source}: ${definition.left}`)
      const schema = definition.right.parameters
      const explained = () => `${source}\n${JSON.stringify(schema, null, 2)}`
      expect(faultsOfRoot(schema), explained()).toEqual([])
      expect(refusalOf(schema), explained()).toBeUndefined()
      const said = allSaid(schema)
      expect(
        descriptions.filter((text) => !said.includes(text)),
        explained()
      ).toEqual([])

      const accepts = ajv.compile(schema)
      const other = new Validator({ ...schema }, "2020-12")
      const encode = ParseResult.encodeUnknownEither(Schema.make<unknown, unknown>(struct.ast))
      for (const value of fc.sample(Arbitrary.make(Schema.make<unknown, unknown>(struct.ast)), { seed, numRuns: 4 })) {
        const encoded = Either.getOrUndefined(encode(value))
        const json = asJson(encoded)
        if (json === undefined) continue
        told += 1
        const wrong = () => `${JSON.stringify(json)} does not fit\n${explained()}`
        if (!accepts(json)) throw new Error(`${ajv.errorsText(accepts.errors)}: ${wrong()}`)
        const { errors, valid } = other.validate(json)
        if (!valid) throw new Error(`${JSON.stringify(errors)}: ${wrong()}`)
      }
      ajv.removeSchema(schema)
    })
    // The seed and the path of a failure are in the message.
    fc.assert(property, { numRuns: numRuns(100) })
    expect(told).toBeGreaterThan(numRuns(100))
  })
})
