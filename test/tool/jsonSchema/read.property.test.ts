import { type Schema as JsonSchema, Validator } from "@cfworker/json-schema"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { acceptable } from "../../../src/protocol/acceptable.js"
import { refusalOf } from "../../../src/protocol/FunctionParameters.js"
import { toldArguments } from "../../../src/testing/toldArguments.js"
import { parametersOf } from "../../../src/tool/jsonSchema/parametersOf.js"
import { read } from "../../../src/tool/jsonSchema/read.js"
import { numRuns } from "../../runs.js"
import { document, hole, values } from "./schemas.js"

/** Another reader of JSON Schema. */
const judge = (schema: object) => {
  const validator = new Validator(JSON.parse(JSON.stringify(schema)) satisfies JsonSchema, "2020-12")
  return (value: unknown): boolean => validator.validate(value).valid
}

/** The same document with something known in place of each hole. */
const filled = (schema: object, by: boolean): object =>
  JSON.parse(JSON.stringify(schema).replaceAll(JSON.stringify(hole), String(by)))

const all = { all: true }
const first = { all: false }

/** A document whose check ends: the other reader would overflow its stack. */
const usable = (schema: object) => Either.isRight(parametersOf(schema).document)

describe("Arguments that a JSON Schema describes", () => {
  it("are accepted and refused as by another validator, whether all issues are found or the first", {
    timeout: 300_000
  }, () => {
    let [accepted, refused] = [0, 0]
    const property = fc.property(document(), values, (schema, values) => {
      fc.pre(usable(schema))
      const { check, unchecked } = read(schema)
      expect(unchecked).toEqual([])
      const isValid = judge(schema)
      for (const value of values) {
        const expected = isValid(value) ? "Valid" : "Invalid"
        if (expected === "Valid") accepted += 1
        else refused += 1
        expect(check(value, all)._tag, JSON.stringify(value)).toBe(expected)
        expect(check(value, first)._tag, JSON.stringify(value)).toBe(expected)
      }
    })
    fc.assert(property, { numRuns: numRuns(300) })
    expect(Math.min(accepted, refused)).toBeGreaterThan(numRuns(300) / 2)
  })

  it("are neither accepted nor refused for a condition that is not understood, wherever it is", {
    timeout: 300_000
  }, () => {
    let open = 0
    const property = fc.property(document(true), values, (schema, values) => {
      fc.pre(usable(schema))
      const { check, unchecked } = read(schema)
      const [withTrue, withFalse] = [judge(filled(schema, true)), judge(filled(schema, false))]
      for (const value of values) {
        const found = check(value, all)._tag
        if (found === "Unknown") {
          open += 1
          expect(unchecked).not.toEqual([])
          continue
        }
        const verdicts = [withTrue(value), withFalse(value)]
        expect(verdicts, JSON.stringify(value)).toEqual([found === "Valid", found === "Valid"])
      }
    })
    fc.assert(property, { numRuns: numRuns(300) })
    expect(open).toBeGreaterThan(numRuns(300) / 10)
  })

  it("reach the model in a schema that the API accepts, and that refuses nothing of what is valid", {
    timeout: 300_000
  }, () => {
    let told = 0
    const property = fc.property(document(), values, (schema, values) => {
      fc.pre(usable(schema))
      const clean = acceptable(schema)
      expect(refusalOf(clean)).toBeUndefined()
      // Of alternatives at the root, a model is told the fields of all of them.
      if ("anyOf" in schema || "oneOf" in schema) return
      const { check } = read(schema)
      const isValid = judge(clean)
      for (const value of values) {
        if (check(value, first)._tag !== "Valid") continue
        told += 1
        expect(isValid(value), `${JSON.stringify(value)} by ${JSON.stringify(clean)}`).toBe(true)
      }
    })
    fc.assert(property, { numRuns: numRuns(300) })
    expect(told).toBeGreaterThan(numRuns(300) / 2)
  })

  it("can be made up by chaos: some valid ones for most schemas that anything fits", { timeout: 300_000 }, () => {
    let [possible, found] = [0, 0]
    const property = fc.property(document(), values, fc.integer(), (schema, values, seed) => {
      fc.pre(usable(schema))
      const { check } = read(schema)
      const fits = (value: unknown) => check(value, first)._tag === "Valid"
      const madeUp = fc.sample(toldArguments(schema), { seed, numRuns: 20 }).map((text): unknown => JSON.parse(text))
      if (!values.some(fits)) return
      possible += 1
      if (madeUp.some(fits)) found += 1
    })
    fc.assert(property, { numRuns: numRuns(200) })
    expect(found / possible).toBeGreaterThan(0.7)
  })
})
