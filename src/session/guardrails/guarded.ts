import * as Effect from "effect/Effect"
import type { Guardrail } from "../../Guardrail.js"
import type { Tool, ToolCall } from "../../Tool.js"
import { ToolBlocked } from "../../ToolError.js"
import { type Judged, judge } from "./judge.js"

/** A tool with checks: on its arguments before it runs, and on its output before the model gets it. */
export const guarded = <E, R>(
  tool: Tool<string, E, R>,
  guardrails: ReadonlyArray<Guardrail<R>>,
  session: {
    readonly judged: (judged: Judged) => void
    readonly checked: <R2>(
      guardrail: Guardrail<R2>,
      check: Effect.Effect<Judged, never, R2>
    ) => Effect.Effect<Judged, never, R2>
  }
): Tool<string, E, R> => {
  const ofSubject = (subject: Guardrail["subject"]) => guardrails.filter((guardrail) => guardrail.subject === subject)
  const inputs = ofSubject("ToolInput")
  const outputs = ofSubject("ToolOutput")
  if (inputs.length + outputs.length === 0) return tool

  const check = (
    { agent, callId, tool: name }: ToolCall,
    stage: ToolBlocked["stage"],
    guardrails: ReadonlyArray<Guardrail<R>>,
    text: string
  ) =>
    Effect.forEach(
      guardrails,
      (guardrail) =>
        Effect.flatMap(
          session.checked(guardrail, judge(guardrail, text, { agent, tool: name }, undefined)),
          (judged) => {
            session.judged(judged)
            return judged.verdict._tag === "Pass"
              ? Effect.void
              : new ToolBlocked({
                  callId,
                  tool: name,
                  agent,
                  guardrail: guardrail.name,
                  stage,
                  feedback: judged.verdict.feedback
                })
          }
        ),
      { discard: true }
    )

  return {
    ...tool,
    // Arguments are checked before anyone is asked to approve them.
    prepare: (call) =>
      Effect.map(
        Effect.tap(tool.prepare(call), () => check(call, "input", inputs, call.arguments)),
        (prepared) => ({
          ...prepared,
          run: Effect.tap(prepared.run, (output) => check(call, "output", outputs, output))
        })
      )
  }
}
