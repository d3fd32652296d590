import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import type { ParseOptions } from "effect/SchemaAST"
import { InvalidArguments } from "../ToolError.js"
import type { ToolCall } from "./ToolCall.js"

export const invalidArguments = (
  { agent, callId, tool }: ToolCall,
  issues: InvalidArguments["issues"]
): InvalidArguments => new InvalidArguments({ callId, tool, agent, issues })

/** Deeper than any form that people fill in, and shallow enough for code that walks the arguments recursively. */
const maxDepth = 200

/**
 * Enough issues, each cut to a length, for a model to correct the call; all of them could be longer than the arguments.
 */
const maxIssues = 20
const maxMessageLength = 500
const maxPathLength = 200

/** For arguments longer than this, in characters, only the first issue is reported. */
const maxLengthOfAll = 100_000

/**
 * Parses the arguments of a call. A model without arguments may send an empty text, which counts as an empty object.
 */
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

/** Most arguments need no check: their text is too short to nest deeply, and does not contain `__proto__`. */
const mayBeTricky = (text: string): boolean =>
  text.length > 2 * maxDepth || text.includes("__proto__") || text.includes("\\u")

/**
 * Finds JSON that no tool wants: the name `__proto__`, which becomes the prototype of anything that it is copied to,
 * such as a decoded record; and nesting deep enough to overflow the stack of recursive code.
 */
const trickIn = (value: unknown): string | undefined => {
  let level: ReadonlyArray<unknown> = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `They nest more than ${maxDepth} levels deep.`
    const below: Array<unknown> = []
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue
      if (Object.hasOwn(one, "__proto__")) return 'A field cannot be named "__proto__".'
      for (const inner of Object.values(one)) if (typeof inner === "object" && inner !== null) below.push(inner)
    }
    level = below
  }
  return undefined
}

/** Finding all issues in long arguments could take seconds, and would block everything else. */
export const parseOptions = (call: ToolCall): ParseOptions => ({
  errors: call.arguments.length <= maxLengthOfAll ? "all" : "first"
})

/** The fields that are not valid, and why. */
export const issuesOf = (error: ParseResult.ParseError): InvalidArguments["issues"] => {
  const all = ParseResult.ArrayFormatter.formatErrorSync(error)
  const issues = all.slice(0, maxIssues).map(({ path, message }) => ({
    path: shorten(path.map(String).join("."), maxPathLength),
    message: shorten(message, maxMessageLength)
  }))
  const more = all.length - issues.length
  return more === 0 ? issues : [...issues, { path: "", message: `${more} more issues are not listed.` }]
}

const shorten = (text: string, length: number): string =>
  // A cut inside a surrogate pair would leave text that cannot be encoded.
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`
