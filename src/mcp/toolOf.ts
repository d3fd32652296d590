import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Predicate from "effect/Predicate"
import * as JsonSchemaTool from "../JsonSchemaTool.js"
import type { PolicyOptions } from "../Tool.js"
import type { Connection } from "./Connection.js"
import type { ListedTool } from "./Listed.js"
import { maxWaitingReports } from "./limits.js"
import { McpCallError, McpRefused, McpServerLost, McpToolFailed } from "./McpError.js"
import { answerOf } from "./resultText.js"

const messageOf = (report: unknown): string =>
  Predicate.isRecord(report) && typeof report["message"] === "string" ? report["message"] : "in progress"

/** @param functionName the name that the model calls */
export const toolOf = <R>(
  server: string,
  functionName: string,
  { description, inputSchema, name: tool }: ListedTool,
  connection: Connection,
  policy: PolicyOptions<JsonSchemaTool.Arguments, R>
) =>
  JsonSchemaTool.make(functionName, {
    ...policy,
    description,
    parameters: inputSchema,
    failure: McpCallError,
    handler: (args, call) =>
      Effect.gen(function* () {
        const link = yield* connection.link
        if (link === undefined) return yield* new McpServerLost({ server, tool, mayHaveRun: false })
        const { discreet } = link
        const reports = yield* Mailbox.make<unknown>({ capacity: maxWaitingReports, strategy: "sliding" })
        const reporting = yield* reports.take.pipe(
          Effect.flatMap((report) => call.progress(discreet.result(messageOf(report)), discreet.data(report))),
          Effect.forever,
          // There are no more.
          Effect.ignore,
          Effect.forkScoped
        )
        const request = link.request("tools/call", { name: tool, arguments: args }, (report) => {
          reports.unsafeOffer(report)
        })
        const answer = yield* Effect.either(request)
        // What was reported before the answer is published before it.
        yield* reports.end
        yield* Fiber.join(reporting)
        const result = yield* Either.mapLeft(answer, (error) =>
          error._tag === "Refused"
            ? new McpRefused({ server, tool, code: error.code, reason: error.reason })
            : new McpServerLost({ server, tool, mayHaveRun: error._tag !== "NotSent" })
        )
        const { isError, text: said } = answerOf(result)
        const text = discreet.result(said)
        return isError ? yield* new McpToolFailed({ server, tool, text }) : text
      })
  })
