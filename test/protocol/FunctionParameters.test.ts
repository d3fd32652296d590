import { describe, expect, it } from "vitest"
import { isPortablePattern, refusalOf } from "../../src/protocol/FunctionParameters.js"

const field = (schema: unknown) => ({ type: "object", properties: { when: schema } })

describe("The parameters of a function", () => {
  it("are taken with all that the API takes", () => {
    const node = { type: "object", properties: { next: { anyOf: [{ $ref: "#/$defs/a~1b" }, { type: "null" }] } } }
    const taken = [
      { type: "object", properties: {} },
      { ...field({ $ref: "#/$defs/a~1b" }), $defs: { "a/b": node } },
      field({ type: ["string", "null"], format: "date-time", default: [{ type: "array" }], examples: [[1]] }),
      field({ type: "array", items: {} }),
      field({ type: "object", properties: { type: { type: "string" }, items: { enum: [["a"]] } } }),
      field({ not: { type: "array", items: true }, oneOf: [{}], allOf: [true] })
    ]
    for (const parameters of taken) expect(refusalOf(parameters), JSON.stringify(parameters)).toBeUndefined()
  })

  it("are read to any depth", () => {
    let deep: object = { type: "array" }
    for (let depth = 0; depth < 50_000; depth += 1) deep = { anyOf: [deep] }
    expect(refusalOf(field(deep))?.reason).toMatch(/^In context=.*array schema missing items\.$/s)
  })
})

describe("A regular expression", () => {
  it("is portable where Python, and JavaScript with and without the flag u, read it alike", () => {
    for (const source of [
      "^a$",
      "\\d+",
      "[\\w.+-]+@\\w+",
      "(?:a|b)",
      "\\(\\?=",
      "[(?=]",
      "a{2,3}",
      "\\u00e9",
      "\\\\p",
      "[\\]]"
    ]) {
      expect([source, isPortablePattern(source)]).toEqual([source, true])
    }
    for (const source of [
      "(?=a)",
      "(?<!a)",
      "(?<n>a)",
      "(a)\\1",
      "\\p{L}",
      "\\u{61}",
      "\\cA",
      "[]",
      "[^]",
      "\\-",
      "a{,2}",
      "(",
      "(?i:a)"
    ]) {
      expect([source, isPortablePattern(source)]).toEqual([source, false])
    }
  })
})
