import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { builtInsFirst } from "../../src/command/builtIns.js"
import { numRuns } from "../runs.js"

describe("builtInsFirst", () => {
  it.each([
    [["serve"], ["serve"]],
    [[], []],
    [
      ["serve", "--port", "1", "-h"],
      ["serve", "-h", "--port", "1"]
    ],
    [
      ["serve", "--port", "1", "--log-level", "debug", "--tls"],
      ["serve", "--log-level", "debug", "--port", "1", "--tls"]
    ],
    [
      ["serve", "--quiet", "--log-level=debug"],
      ["serve", "--log-level=debug", "--quiet"]
    ],
    [
      ["--tls", "--completions", "zsh"],
      ["--completions", "zsh", "--tls"]
    ]
  ])("makes of %j %j", (args, first) => {
    expect(builtInsFirst(args)).toEqual(first)
  })

  it("loses no argument, and changes nothing where none is built in", () => {
    const own = fc.constantFrom("serve", "--port", "8081", "--host=h", "--quiet", "", "-", "--api-key", "k")
    const builtIn = fc.constantFrom("--help", "-h", "--version", "--wizard", "--log-level", "--completions=zsh")
    fc.assert(
      fc.property(fc.array(fc.oneof(own, builtIn)), (args) => {
        expect([...builtInsFirst(args)].sort()).toEqual([...args].sort())
      }),
      { numRuns: numRuns(200) }
    )
    fc.assert(
      fc.property(fc.array(own), (args) => {
        expect(builtInsFirst(args)).toEqual(args)
      }),
      { numRuns: numRuns(200) }
    )
  })
})
