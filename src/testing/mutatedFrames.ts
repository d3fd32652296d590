/**
 * Frames as a broken or hostile server could send them: real frames with fields dropped, replaced, renamed or nested,
 * and texts truncated, repeated and out of order.
 */
import * as fc from "effect/FastCheck"

/** JSON texts, not values: `JSON.stringify` would not write some of these. */
const nasties: ReadonlyArray<string> = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "-1",
  "0.5",
  "1e15",
  "9007199254740993",
  "1e999",
  "-1e999",
  "[]",
  "{}",
  "[null]",
  "[[]]",
  '""',
  '"__proto__"',
  '"constructor"',
  '"prototype"',
  '"toString"',
  '"hasOwnProperty"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\u001b[2J\\u001b]0;title\\u0007"',
  '"\\u202e\\u2028\\ufeff"',
  '"NaN"',
  '"item_1"',
  '"resp_1"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"valueOf":1,"length":-1,"then":1}',
  '{"type":"function_call","id":"__proto__","call_id":"__proto__","name":"__proto__","arguments":"{}"}',
  `"${"x".repeat(10_000)}"`,
  `${"[".repeat(2_000)}${"]".repeat(2_000)}`,
  `${'{"a":'.repeat(2_000)}1${"}".repeat(2_000)}`
]

const names = ["__proto__", "constructor", "toString", "", "type", "id", "\u0000", "x".repeat(10_000)]

type Path = ReadonlyArray<string>

const isContainer = (value: unknown): value is object => typeof value === "object" && value !== null

/** Far deeper than any event. A value that an earlier change nested is not walked to its end. */
const maxDepth = 10

const pathsOf = (value: unknown, depth = 0): ReadonlyArray<Path> =>
  isContainer(value) && depth < maxDepth
    ? Object.entries(value).flatMap(([name, inner]) => [
        [name],
        ...pathsOf(inner, depth + 1).map((path) => [name, ...path])
      ])
    : []

type Change =
  | { readonly _tag: "None" }
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Replace"; readonly json: string }
  | { readonly _tag: "Rename"; readonly name: string }
  | { readonly _tag: "Twice"; readonly json: string }
  | { readonly _tag: "Nest" }
  | { readonly _tag: "Cut"; readonly at: number }
  | { readonly _tag: "Garble"; readonly at: number; readonly text: string }

const at = fc.double({ min: 0, max: 1, noNaN: true })

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Change>({ _tag: "None" }) },
  { weight: 3, arbitrary: fc.constant<Change>({ _tag: "Drop" }) },
  { weight: 8, arbitrary: fc.constantFrom(...nasties).map((json): Change => ({ _tag: "Replace", json })) },
  { weight: 2, arbitrary: fc.constantFrom(...names).map((name): Change => ({ _tag: "Rename", name })) },
  { weight: 1, arbitrary: fc.constantFrom(...nasties).map((json): Change => ({ _tag: "Twice", json })) },
  { weight: 1, arbitrary: fc.constant<Change>({ _tag: "Nest" }) },
  { weight: 1, arbitrary: at.map((at): Change => ({ _tag: "Cut", at })) },
  { weight: 1, arbitrary: fc.tuple(at, fc.string()).map(([at, text]): Change => ({ _tag: "Garble", at, text })) }
)

/** The JSON text of a value with the change at the path. */
const write = (value: unknown, path: Path | undefined, change: Change): string => {
  if (!isContainer(value) || path === undefined) return JSON.stringify(value)
  const [key, ...rest] = path
  const entries = Object.entries(value).flatMap(([name, inner]): ReadonlyArray<readonly [string, string]> => {
    if (name !== key) return [[name, JSON.stringify(inner)]]
    if (rest.length > 0) return [[name, write(inner, rest, change)]]
    switch (change._tag) {
      case "Drop":
        return []
      case "Replace":
        return [[name, change.json]]
      case "Rename":
        return [[change.name, JSON.stringify(inner)]]
      case "Twice":
        return [
          [name, JSON.stringify(inner)],
          [name, change.json]
        ]
      case "Nest":
        return [[name, `[${JSON.stringify(inner)}]`]]
      default:
        return [[name, JSON.stringify(inner)]]
    }
  })
  return Array.isArray(value)
    ? `[${entries.map(([, json]) => json).join(",")}]`
    : `{${entries.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`
}

const mutate = (text: string, where: number, change: Change): string => {
  const spot = Math.floor(("at" in change ? change.at : 0) * text.length)
  if (change._tag === "Cut") return text.slice(0, spot)
  if (change._tag === "Garble") return text.slice(0, spot) + change.text + text.slice(spot)
  const value: unknown = JSON.parse(text)
  const paths = pathsOf(value)
  return write(value, paths[Math.floor(where * paths.length)], change)
}

/** How a frame is delivered: once, twice, or after the frames that follow it. */
type Delivery = "Once" | "Twice" | "Late"

/**
 * Lists of frames, each a mutation of one of the given frames, which are the JSON texts of valid events.
 *
 * @since 0.1.0
 * @category arbitraries
 */
export const mutatedFrames = (
  recorded: ReadonlyArray<string>,
  constraints: { readonly minLength?: number; readonly maxLength?: number } = {}
): fc.Arbitrary<ReadonlyArray<string>> => {
  const frame = fc.record({
    text: fc.constantFrom(...recorded),
    where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    // Two changes reach what one change hides: a dropped id and a wrong type.
    changes: fc.array(change, { minLength: 1, maxLength: 2 }),
    delivery: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Delivery>("Once") },
      { weight: 1, arbitrary: fc.constant<Delivery>("Twice") },
      { weight: 1, arbitrary: fc.constant<Delivery>("Late") }
    )
  })
  return fc.array(frame, { ...constraints, size: "max" }).map((frames) => {
    const texts: Array<string> = []
    let late: Array<string> = []
    for (const { changes, delivery, text, where } of frames) {
      const mutated = changes.reduce((text, change) => (isJson(text) ? mutate(text, where, change) : text), text)
      if (delivery === "Late") {
        late.push(mutated)
        continue
      }
      texts.push(mutated)
      if (delivery === "Twice") texts.push(mutated)
      if (late.length > 3) {
        texts.push(...late.reverse())
        late = []
      }
    }
    return [...texts, ...late]
  })
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
