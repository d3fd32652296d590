import * as fc from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { functionName } from "../../src/mcp/functionName.js"
import { numRuns } from "../runs.js"

const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 128 }),
  fc.stringMatching(/^[A-Za-z0-9._-]{1,128}$/),
  fc.constantFrom("a.b", "a_b", "a b", "__proto__", "x".repeat(64), "x".repeat(65), "ä")
)

describe("The name of a server's tool for the model", () => {
  it("is one that the API accepts, and another one for each other tool of the server", () => {
    const property = fc.property(fc.constantFrom("files", "my server", "x".repeat(60)), name, name, (label, a, b) => {
      fc.pre(a !== b)
      expect(functionName(label, a)).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
      expect(functionName(label, a)).not.toBe(functionName(label, b))
    })
    fc.assert(property, { numRuns: numRuns(2_000) })
  })

  it("is the label and the tool's name where that is possible", () => {
    expect(functionName("files", "read_file")).toBe("files__read_file")
    expect(functionName("files", "read.file")).toMatch(/^files__read_file_[a-z0-9]{8}$/)
    expect(functionName("files", "x".repeat(128))).toHaveLength(64)
  })
})
