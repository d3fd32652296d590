import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as sessionKey from "../../src/journal/sessionKey.js"
import { numRuns } from "../runs.js"
import { text } from "./arbitraries.js"

const keyOf = (sessionId: string) => Either.getOrThrow(sessionKey.encode(sessionId))

describe("The key of a session", () => {
  it.each([
    ["sess_01-ab", "sess_01-ab"],
    ["Ab.c", "+ab~002ec"],
    ["../../x", "~002e~002e~002f~002e~002e~002fx"],
    ["C:\\con", "+c~003a~005ccon"],
    ["\ud800", "~d800"],
    ["", ""]
  ])("of %j is %j", (sessionId, key) => {
    expect(keyOf(sessionId)).toBe(key)
    expect(sessionKey.decode(key)).toBe(sessionId)
  })

  it("is a name and not a path, gives back its session, and differs from all others, whatever the case", () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const key = sessionKey.encode(one)
        if (Either.isLeft(key)) return
        expect(key.right).toMatch(/^[a-z0-9_+~-]*$/)
        expect(sessionKey.decode(key.right)).toBe(one)
        if (one !== other) expect(Either.getOrUndefined(sessionKey.encode(other))).not.toBe(key.right)
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it.each(["A", "~002E", "~0061", "+1", "~00", "a.b", "é"])("is not %j", (name) => {
    expect(sessionKey.decode(name)).toBeUndefined()
  })

  it("has the length limit of file systems, and says so", () => {
    expect(keyOf("a".repeat(200))).toHaveLength(200)
    const refused = Either.flip(sessionKey.encode("a".repeat(201)))
    expect(Either.getOrThrow(refused)).toContain("it counts 201 characters")
  })
})
