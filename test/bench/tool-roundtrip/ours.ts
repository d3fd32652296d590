import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../../src/Agent.js"
import * as OpenAiRealtime from "../../../src/OpenAiRealtime.js"
import * as Session from "../../../src/Session.js"
import * as Tool from "../../../src/Tool.js"
import { contend, instructions, tool, userText } from "./contender.js"

/** A session as an application has it: arguments checked, a deadline on each call, and a subscriber to its events. */
await contend((url, meter) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const lookup = Tool.make(tool.name, {
      description: tool.description,
      parameters: { step: Schema.Number, city: Schema.String },
      // Longer than the runs of the other contenders, which a call may have to wait for.
      timeout: "10 minutes",
      handler: () =>
        Effect.suspend(() => {
          const pause = meter.handlerStarted()
          return pause === undefined
            ? Effect.succeed("ok")
            : Effect.as(
                Effect.promise(() => pause),
                "ok"
              )
        })
    })
    const agent = Agent.make("bench", { instructions, tools: [lookup] })
    const session = yield* Session.make(agent, { maxCallsPerTurn: Number.POSITIVE_INFINITY }).pipe(
      Effect.provide(OpenAiRealtime.layer({ url, apiKey: Redacted.make("sk-bench") })),
      Scope.extend(scope)
    )
    yield* Effect.forkIn(Stream.runDrain(session.events), scope)
    return {
      begin: () => void Effect.runFork(session.sendText(userText)),
      close: () => Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }).pipe(Effect.runPromise)
)
