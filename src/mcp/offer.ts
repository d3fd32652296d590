/** Which tools of a server the model gets, and by which names. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import { written } from "../common/written.js"
import type * as JsonSchemaTool from "../JsonSchemaTool.js"
import type * as Tool from "../Tool.js"
import type { Fixed } from "../tool/Fixed.js"
import type { Connection } from "./Connection.js"
import { functionName } from "./functionName.js"
import type { ListedTool, Listing, SkippedTool } from "./Listed.js"
import { maxReason, maxSchemaLength } from "./limits.js"
import type { McpCallError } from "./McpError.js"
import { toolOf } from "./toolOf.js"

export interface Rules<R> {
  readonly label: string
  readonly maxTools: number
  readonly select: (tool: ListedTool) => boolean
  readonly rename: ((tool: ListedTool) => string) | undefined
  readonly policyOf: (tool: ListedTool) => Tool.PolicyOptions<JsonSchemaTool.Arguments, R>
}

/**
 * A tool of a server, with a name that the API accepts.
 *
 * @since 0.1.0
 * @category models
 */
export interface McpTool<R = never> extends JsonSchemaTool.JsonSchemaTool<string, McpCallError, Fixed<R>> {
  /** The tool as the server lists it, with its name there. */
  readonly listed: ListedTool
}

export interface Offered<R> {
  readonly tools: ReadonlyArray<McpTool<R>>
  readonly skipped: ReadonlyArray<SkippedTool>
  /** What was listed of each tool that is offered, to find out later what has changed. */
  readonly listed: ReadonlyMap<string, string>
}

/** What the application says of a tool. If that throws, it is that tool's alone. */
const given = <A>(option: string, ask: () => A): Either.Either<A, string> =>
  Either.try({ try: ask, catch: () => `The option ${option} threw when it was asked about it.` })

/** A policy that is not valid says what to do about it. */
const whyNotMade = (error: unknown): string =>
  Predicate.isTagged(error, "OptionsInvalid") && error instanceof Error
    ? error.message
    : "It cannot be made a tool: check its schema and its `policy`."

/** One tool that cannot be offered hides no other. */
export const offer = <R>(
  listing: Listing,
  connection: Connection,
  rules: Rules<R>,
  before?: Offered<R>
): Offered<R> => {
  const known = new Map(before?.tools.map((tool) => [tool.name, tool]))
  const { label, maxTools, policyOf, rename, select } = rules
  const tools = new Map<string, McpTool<R>>()
  const skipped = [...listing.skipped]
  const listed = new Map<string, string>()
  for (const one of listing.tools) {
    const skip = (reason: string) => skipped.push({ name: one.name, reason })
    const isSelected = given("`select`", () => select(one))
    if (Either.isLeft(isSelected)) {
      skip(isSelected.left)
      continue
    }
    if (!isSelected.right) continue
    if (tools.size >= maxTools) {
      skip(`The model gets ${maxTools} tools of this server at most. Choose them with \`select\`.`)
      continue
    }
    const text = written(one)
    if (text === undefined) {
      skip("Its schema nests too deeply.")
      continue
    }
    if (text.length > maxSchemaLength) {
      skip(`Its schema is longer than ${maxSchemaLength.toLocaleString("en-US")} characters.`)
      continue
    }
    const named = given("`rename`", () => rename?.(one) ?? functionName(label, one.name))
    if (Either.isLeft(named)) {
      skip(named.left)
      continue
    }
    const name = named.right
    if (tools.has(name)) {
      skip(`Another tool is already named ${JSON.stringify(name)}.`)
      continue
    }
    const same = known.get(name)
    // A tool that is as before stays the same one, with its calls that run.
    if (same !== undefined && before?.listed.get(one.name) === text) {
      tools.set(name, same)
      listed.set(one.name, text)
      continue
    }
    const policy = given("`policy` or `approval`", () => policyOf(one))
    if (Either.isLeft(policy)) {
      skip(policy.left)
      continue
    }
    const tool = Either.try({
      try: () => toolOf(label, name, one, connection, policy.right),
      catch: whyNotMade
    }).pipe(Either.flatMap((made) => Either.map(made.definition, () => made)))
    if (Either.isLeft(tool)) {
      skip(tool.left.slice(0, maxReason))
      continue
    }
    tools.set(name, { ...tool.right, listed: one })
    listed.set(one.name, text)
  }
  return { tools: [...tools.values()], skipped, listed }
}

export interface Changes {
  readonly added: ReadonlyArray<string>
  readonly changed: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
}

/** The names at the server of the tools that are different; `undefined` if none is. */
export const changesBetween = (
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>
): Changes | undefined => {
  const added = [...after.keys()].filter((name) => !before.has(name))
  const removed = [...before.keys()].filter((name) => !after.has(name))
  const changed = [...after].flatMap(([name, text]) => (before.has(name) && before.get(name) !== text ? [name] : []))
  return added.length + removed.length + changed.length === 0 ? undefined : { added, changed, removed }
}

/** The tools that were not skipped before, or not for that reason. */
export const newlySkipped = (
  before: ReadonlyArray<SkippedTool>,
  after: ReadonlyArray<SkippedTool>
): ReadonlyArray<SkippedTool> => {
  const known = new Set(before.map(({ name, reason }) => JSON.stringify([name, reason])))
  return after.filter(({ name, reason }) => !known.has(JSON.stringify([name, reason])))
}
