import { describe, expect, it } from "@effect/vitest"
import { numbersIn } from "../../../src/embedded/router/NumberWords.js"

describe("numbersIn", () => {
  it.each([
    ["ten minutes", [10]],
    ["twenty-five and 3.5", [25, 3.5]],
    ["two hundred and ten apples", [210]],
    ["one thousand two hundred", [1_200]],
    ["1,200 of 7", [1_200, 7]],
    ["one, two and three", [1, 2, 3]],
    ["one and a half hours", [1.5]],
    ["half an hour", [0.5]],
    ["a dozen eggs", [12]],
    ["five six", [5, 6]],
    ["someone told them often", []]
  ])("%s", (sentence, values) => {
    expect(numbersIn(sentence).map(({ value }) => value)).toEqual(values)
  })
})
