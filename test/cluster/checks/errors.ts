import * as Effect from "effect/Effect"
import { command, must, type Said, startCalls } from "../calls.js"
import { milliseconds } from "../figures.js"
import { type Check, expect, within } from "./Check.js"

export const errors: Check = {
  name: "errors",
  title: "a command to a call that never was, that ended, or that nobody has any more: a typed error, and no hang",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll()
      const [owner, other] = nodes
      if (owner === undefined || other === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const [ended, orphan] = (yield* startCalls([owner], 2, stage.prefix)).map(({ call }) => call)
      if (ended === undefined || orphan === undefined) return yield* Effect.dieMessage("It takes two calls.")
      yield* must(other, ended, { _tag: "Close" })
      const status: Said = { _tag: "Status" }
      const ofUnknown = yield* command(other, `${stage.prefix}-nobody`, status)
      const ofEnded = yield* command(other, ended, status)
      const ofApproval = yield* command(other, orphan, { _tag: "Approve", toolCallId: "call_none" })
      const ofAgent = yield* command(other, orphan, { _tag: "UpdateAgent", agent: "Nobody" })
      yield* owner.kill
      // Shorter than the lease: nobody has it yet, and this caller does not wait until somebody has.
      const ofOrphan = yield* command(other, orphan, status, { deadlineMs: 1500 })
      const seen = [
        ["a call that never was", ofUnknown, "CallUnknown", 2000],
        ["a call that ended", ofEnded, "CallEnded", 2000],
        ["an approval that nothing waits for", ofApproval, "ApprovalNotPending", 2000],
        ["an agent that is not there", ofAgent, "AgentUnknown", 2000],
        ["a call of a dead node, deadline 1.5 s", ofOrphan, "CallUnreachable", 3000]
      ] as const
      return {
        figures: seen.map(([what, { error, ms }]) => `${what}: ${error?._tag} after ${milliseconds(ms)}`),
        violations: seen.flatMap(([what, { error, ms }, tag, most]) => [
          ...expect(error?._tag === tag, `${what}: ${error?._tag ?? "no error"} and not ${tag}.`),
          ...within(stage, ms, most, what)
        ])
      }
    })
}
