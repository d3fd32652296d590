import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import type { ParseOptions } from "effect/SchemaAST"
import { InvalidArguments } from "../ToolError.js"
import type { ToolCall } from "./ToolCall.js"

export const invalidArguments = (
  { agent, callId, tool }: ToolCall,
  issues: InvalidArguments["issues"]
): InvalidArguments => new InvalidArguments({ callId, tool, agent, issues })

/** Deeper than any form that people fill in; shallow enough for whoever walks the arguments by recursion. */
const maxDepth = 200

/** So many issues, and so much of each, tell a model what to mend; all of them could be longer than the arguments. */
const maxIssues = 20
const maxMessageLength = 500
const maxPathLength = 200

/** Arguments that are longer, in characters, are refused for the first thing that is wrong with them. */
const maxLengthOfAll = 100_000

/** The arguments of a call as JSON. A model that has nothing to say may send no text at all: that is an empty object. */
export const parseArguments = (call: ToolCall): Effect.Effect<unknown, InvalidArguments> =>
  Effect.suspend(() => {
    const text = call.arguments
    let value: unknown
    try {
      value = text.trim() === "" ? {} : JSON.parse(text)
    } catch (error) {
      const message = `Expected JSON: ${error instanceof Error ? error.message : String(error)}`
      return invalidArguments(call, [{ path: "", message: shorten(message, maxMessageLength) }])
    }
    const message = mayBeTricky(text) ? trickIn(value) : undefined
    return message === undefined ? Effect.succeed(value) : invalidArguments(call, [{ path: "", message }])
  })

/** Most arguments are not worth a walk: their text is too short to nest deeply, and has no name that matters. */
const mayBeTricky = (text: string): boolean =>
  text.length > 2 * maxDepth || text.includes("__proto__") || text.includes("\\u")

/**
 * What JSON can say, and no tool wants: `__proto__` as a name, which becomes the prototype of whatever it is copied to,
 * a decoded record for one; and nesting that overflows the stack of whoever walks it.
 */
const trickIn = (value: unknown): string | undefined => {
  let level: ReadonlyArray<unknown> = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `They nest more than ${maxDepth} levels deep.`
    const below: Array<unknown> = []
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue
      if (Object.hasOwn(one, "__proto__")) return 'A field can not be named "__proto__".'
      for (const inner of Object.values(one)) if (typeof inner === "object" && inner !== null) below.push(inner)
    }
    level = below
  }
  return undefined
}

/** All that is wrong with long arguments could take seconds to find, and nothing else would run meanwhile. */
export const parseOptions = (call: ToolCall): ParseOptions => ({
  errors: call.arguments.length <= maxLengthOfAll ? "all" : "first"
})

/** Which field does not fit, and why. */
export const issuesOf = (error: ParseResult.ParseError): InvalidArguments["issues"] => {
  const all = ParseResult.ArrayFormatter.formatErrorSync(error)
  const issues = all.slice(0, maxIssues).map(({ path, message }) => ({
    path: shorten(path.map(String).join("."), maxPathLength),
    message: shorten(message, maxMessageLength)
  }))
  const more = all.length - issues.length
  return more === 0 ? issues : [...issues, { path: "", message: `${more} more do not fit.` }]
}

const shorten = (text: string, length: number): string =>
  // A cut between the halves of a surrogate pair would leave text that does not encode.
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`
