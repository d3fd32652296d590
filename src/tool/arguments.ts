import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import type { ToolCall } from "../Tool.js"
import { InvalidArguments } from "../ToolError.js"

export const invalidArguments = (
  { agent, callId, tool }: ToolCall,
  issues: InvalidArguments["issues"]
): InvalidArguments => new InvalidArguments({ callId, tool, agent, issues })

/** The arguments of a call as JSON. A model that has nothing to say may send no text at all: that is an empty object. */
export const parseArguments = (call: ToolCall): Effect.Effect<unknown, InvalidArguments> =>
  Effect.try({
    try: (): unknown => (call.arguments.trim() === "" ? {} : JSON.parse(call.arguments)),
    catch: (error) =>
      invalidArguments(call, [
        { path: "", message: `Expected JSON: ${error instanceof Error ? error.message : String(error)}` }
      ])
  })

/** Which field does not fit, and why. */
export const issuesOf = (error: ParseResult.ParseError): InvalidArguments["issues"] =>
  ParseResult.ArrayFormatter.formatErrorSync(error).map(({ path, message }) => ({
    path: path.map(String).join("."),
    message
  }))
