/**
 * Reads a JSON Schema once, into a function that checks values. Draft 2020-12, and of the older drafts what still
 * occurs: `definitions`, `items` as an array, `dependencies`, `exclusiveMinimum: true`.
 */
import { written } from "../../common/written.js"
import { decodedKeysOf, pointerOf, valueAt } from "../../protocol/pointer.js"
import { arrayKeywords } from "./arrayKeywords.js"
import { combinators } from "./combinators.js"
import { type Check, isObject, type JsonObject, type Keywords, type Place, type Run } from "./Keyword.js"
import { every, invalid, type Outcome, unknown, valid } from "./Outcome.js"
import { objectKeywords } from "./objectKeywords.js"
import { neverKnown, valueKeywords } from "./valueKeywords.js"

/**
 * A condition that is not understood, so that it is not checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unchecked {
  /** Where it is in the JSON Schema, such as `#/properties/city`. */
  readonly at: string
  /** The keyword that has the condition, such as `unevaluatedProperties`. */
  readonly keyword: string
}

export interface Read {
  readonly check: (value: unknown, options: { readonly all: boolean }) => Outcome
  readonly unchecked: ReadonlyArray<Unchecked>
  /** Why it is no JSON Schema, one sentence each. */
  readonly problems: ReadonlyArray<string>
}

const keywords: Keywords = { ...valueKeywords, ...objectKeywords, ...arrayKeywords, ...combinators }

/** Conditions that need more than the schema and the value. Any other name that is not known only describes. */
const notUnderstood = ["unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef"]

/** Far more than a person writes, and little enough for code that walks a schema recursively. */
export const maxDepth = 200

/** Enough to see what is wrong with a schema. */
const maxProblems = 10

/** How many checks one validation may make, beside `stepsPerValue` for each value in what is checked. */
const maxSteps = 1_000_000
const stepsPerValue = 100

/** Checks within each other: more could overflow the stack. */
const maxWithin = 2_000

/** A schema that is being read or was read. Schemas that refer to themselves need one to refer to. */
interface Node {
  readonly at: string
  check: Check
  /** The schemas that apply to the same value. */
  readonly same: Set<Node>
}

class Reader {
  readonly unchecked: Array<Unchecked> = []
  readonly problems: Array<string> = []
  readonly #nodes = new Map<JsonObject, Node>()
  readonly #root: unknown
  /** In older drafts, what stands beside a reference says nothing. */
  readonly #onlyReference: boolean

  constructor(root: unknown) {
    this.#root = root
    const draft = isObject(root) ? root["$schema"] : undefined
    this.#onlyReference = typeof draft === "string" && /\/draft-0[3467]\//.test(draft)
  }

  node(schema: unknown, keys: ReadonlyArray<string | number>, depth: number): Node {
    const at = pointerOf(keys)
    if (typeof schema === "boolean") {
      return { at, check: () => (schema ? valid : invalid("is unexpected")), same: new Set() }
    }
    if (!isObject(schema)) {
      this.#malformed(at, "should be a schema: an object, true or false.")
      return { at, check: neverKnown, same: new Set() }
    }
    const known = this.#nodes.get(schema)
    if (known !== undefined) return known
    const node: Node = { at, check: neverKnown, same: new Set() }
    this.#nodes.set(schema, node)
    if (depth > maxDepth) this.#malformed(at, `is reached through more than ${maxDepth} other schemas.`)
    else node.check = limited(this.#checksOf(schema, node, keys, depth))
    return node
  }

  #malformed(at: string, problem: string): void {
    if (this.problems.length < maxProblems) this.problems.push(`${at} ${problem}`)
  }

  #checksOf(schema: JsonObject, node: Node, keys: ReadonlyArray<string | number>, depth: number): ReadonlyArray<Check> {
    const place = this.#placeOf(node, keys, depth)
    const checks: Array<Check> = []
    const { $ref } = schema
    if ($ref !== undefined) checks.push(this.#reference($ref, node, place, depth))
    if ($ref !== undefined && this.#onlyReference) return checks
    for (const keyword of notUnderstood) {
      if (schema[keyword] !== undefined) checks.push(place.notUnderstood(keyword))
    }
    for (const [keyword, value] of Object.entries(schema)) {
      const read = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined
      const check = read?.(value, place, schema)
      if (check !== undefined) checks.push(check)
    }
    return checks
  }

  /** A part with an `$id` is a document of its own: references in it are meant from there. */
  #isOneDocument(): boolean {
    const { $id: _, ...parts } = isObject(this.#root) ? this.#root : {}
    return written(parts)?.includes('"$id":') === false
  }

  #placeOf(node: Node, keys: ReadonlyArray<string | number>, depth: number): Place {
    const below = (schema: unknown, more: ReadonlyArray<string | number>) =>
      this.node(schema, [...keys, ...more], depth + 1)
    return {
      same: (schema, ...more) => {
        const target = below(schema, more)
        node.same.add(target)
        return (value, run) => target.check(value, run)
      },
      part: (schema, ...more) => {
        const target = below(schema, more)
        return (value, run) => target.check(value, run)
      },
      malformed: (keyword, shouldBe) => {
        this.#malformed(node.at, `has a wrong \`${keyword}\`: it should be ${shouldBe}.`)
        return undefined
      },
      notUnderstood: (keyword) => {
        this.unchecked.push({ at: node.at, keyword })
        return neverKnown
      }
    }
  }

  #reference($ref: unknown, node: Node, place: Place, depth: number): Check {
    if (typeof $ref !== "string") {
      place.malformed("$ref", "text")
      return neverKnown
    }
    const keys = decodedKeysOf($ref)
    const target = keys === undefined ? undefined : valueAt(this.#root, keys)
    if (keys === undefined || target === undefined) {
      // To another document, or to an anchor.
      if (keys === undefined || !this.#isOneDocument()) return place.notUnderstood(`$ref ${JSON.stringify($ref)}`)
      this.#malformed(node.at, `refers to ${JSON.stringify($ref)}, which is not in this JSON Schema.`)
      return neverKnown
    }
    const referred = this.node(target, keys, depth + 1)
    node.same.add(referred)
    return (value, run) => referred.check(value, run)
  }

  /** A schema that applies to a value only if it applies to that value: checking it would never end. */
  findCircle(): void {
    const done = new Set<Node>()
    for (const start of this.#nodes.values()) {
      const open = new Set<Node>()
      const todo: Array<{ readonly node: Node; readonly leaves: boolean }> = [{ node: start, leaves: false }]
      for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
        const { leaves, node } = next
        if (leaves) {
          open.delete(node)
          done.add(node)
        } else if (open.has(node)) {
          this.#malformed(node.at, "refers to itself without end.")
          return
        } else if (!done.has(node)) {
          open.add(node)
          todo.push({ node, leaves: true }, ...Array.from(node.same, (one) => ({ node: one, leaves: false })))
        }
      }
    }
  }
}

/** All conditions of one schema, as long as the budget lasts. Then nothing is known. */
const limited =
  (checks: ReadonlyArray<Check>): Check =>
  (value, run) => {
    run.steps -= 1
    if (run.steps < 0 || run.depth >= maxWithin) {
      run.steps = -1
      return unknown
    }
    run.depth += 1
    const outcome = every(outcomes(checks, value, run), run.all)
    run.depth -= 1
    return outcome
  }

function* outcomes(checks: ReadonlyArray<Check>, value: unknown, run: Run): Iterable<Outcome> {
  for (const check of checks) yield check(value, run)
}

const countOf = (value: unknown): number => {
  let count = 0
  const todo = [value]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    count += 1
    if (typeof next === "object" && next !== null) for (const one of Object.values(next)) todo.push(one)
  }
  return count
}

/** Reads a JSON Schema for objects: the arguments of a function. */
export const read = (schema: unknown): Read => {
  const reader = new Reader(schema)
  const root = reader.node(schema, [], 0)
  reader.findCircle()
  return {
    check: (value, { all }) => {
      if (!isObject(value))
        return { _tag: "Invalid", issues: [{ path: [], message: "Expected an object", expected: undefined }] }
      const run: Run = { all, steps: maxSteps + stepsPerValue * countOf(value), depth: 0 }
      const outcome = root.check(value, run)
      return run.steps < 0 ? invalid("It would take too long to check this against its JSON Schema") : outcome
    },
    unchecked: reader.unchecked,
    problems: reader.problems
  }
}
