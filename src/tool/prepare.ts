import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { ParseOptions } from "effect/SchemaAST"
import { InvalidOutput, ToolFailure } from "../ToolError.js"
import { invalidArguments, issuesOf, parseArguments, parseOptions } from "./arguments.js"
import { type FailureNotEncoded, notNeeded, type Prepare, type Prepared } from "./Prepared.js"
import type { ToolCall } from "./ToolCall.js"

/** The parts of a tool that answer calls. */
export interface Parts<Args> {
  /** Decodes the arguments that the model wrote. */
  readonly decode: (raw: unknown, options: ParseOptions) => Effect.Effect<Args, ParseResult.ParseError, unknown>
  readonly success: Schema.Schema<unknown, unknown, unknown> | undefined
  readonly failure: Schema.Schema<unknown, unknown, unknown> | undefined
  readonly approval: boolean | ((args: Args, call: ToolCall) => Effect.Effect<boolean, unknown, unknown>)
  readonly handle: (args: Args, call: ToolCall) => Effect.Effect<unknown, unknown, unknown>
}

/** From the arguments that the model wrote to the text that it reads: decode, approve, run, encode. */
export const prepare = <Args>({
  approval,
  decode,
  failure,
  handle,
  success
}: Parts<Args>): Prepare<unknown, unknown> => {
  const encodeFailure = failure === undefined ? undefined : Schema.encodeUnknown(failure)
  const encodeSuccess = success === undefined ? Effect.succeed : Schema.encodeUnknown(success)

  const run = (args: Args, call: ToolCall): Prepared<unknown, unknown>["run"] =>
    Effect.scoped(Effect.suspend(() => handle(args, call))).pipe(
      Effect.catchAll((error) => failed(call, error, encodeFailure)),
      Effect.flatMap((result) =>
        encodeSuccess(result).pipe(
          Effect.flatMap((encoded) => Effect.try(() => outputText(encoded))),
          Effect.catchAll((error) => new InvalidOutput({ ...identity(call), issue: explain(error) }))
        )
      )
    )

  return (call) =>
    parseArguments(call).pipe(
      Effect.flatMap((raw) =>
        Effect.mapError(decode(raw, parseOptions(call)), (error) => invalidArguments(call, issuesOf(error)))
      ),
      Effect.map((args) => ({
        needsApproval:
          typeof approval === "function"
            ? Effect.suspend(() => approval(args, call))
            : approval
              ? Effect.succeed(true)
              : notNeeded,
        run: run(args, call)
      }))
    )
}

const identity = ({ callId, tool, agent }: ToolCall) => ({ callId, tool, agent })

/** A typed failure, with its encoded form if the tool declares one. */
const failed = (
  call: ToolCall,
  failure: unknown,
  encode: ((failure: unknown) => Effect.Effect<unknown, ParseResult.ParseError, unknown>) | undefined
): Effect.Effect<never, ToolFailure | FailureNotEncoded<unknown>, unknown> => {
  const error = ToolFailure.of({ ...identity(call), failure })
  if (encode === undefined) return error
  return encode(failure).pipe(
    Effect.mapError(
      (issue): FailureNotEncoded<unknown> => ({ _tag: "FailureNotEncoded", error, issue: explain(issue) })
    ),
    Effect.flatMap((details) => ToolFailure.of({ ...identity(call), failure, details: withoutTag(details) }))
  )
}

/** The tag is already the `type` of the text that the model reads. */
const withoutTag = (details: unknown): unknown => {
  if (typeof details !== "object" || details === null || Array.isArray(details)) return details
  const { _tag: _, ...fields } = { _tag: undefined, ...details }
  return fields
}

/** Text as it is, nothing as empty text, anything else as JSON. */
const outputText = (encoded: unknown): string => {
  if (typeof encoded === "string") return encoded
  const text = JSON.stringify(encoded)
  if (text === undefined && encoded !== undefined) throw new TypeError(`${typeof encoded} is not a JSON value`)
  return text ?? ""
}

const explain = (error: unknown): string =>
  ParseResult.isParseError(error)
    ? ParseResult.TreeFormatter.formatErrorSync(error)
    : error instanceof Error
      ? `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ""}`
      : String(error)
