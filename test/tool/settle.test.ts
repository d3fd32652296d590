import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as FiberId from "effect/FiberId"
import * as Schema from "effect/Schema"
import * as Tool from "../../src/Tool.js"
import { ToolError } from "../../src/ToolError.js"
import { type Hooks, settle } from "../../src/tool/settle.js"
import { numRuns } from "../runs.js"

const call: Tool.ToolCall = {
  callId: "c1",
  tool: "tool",
  agent: "agent",
  sessionId: "s1",
  idempotencyKey: "key",
  responseId: undefined,
  arguments: "{}",
  progress: () => Effect.void
}

const hooks: Hooks = {
  incidentId: () => "inc_1",
  approvalCheckFailed: Effect.void,
  enabledCheckFailed: () => Effect.void,
  available: () => [],
  decide: Effect.succeed({ _tag: "Approved" }),
  started: Effect.void
}

class Trouble extends Schema.TaggedError<Trouble>()("Trouble", { code: Schema.Int }) {}

/** Every shape that the end of a handler can have, down to causes within causes. */
const cause: fc.Arbitrary<Cause.Cause<unknown>> = fc.letrec<{ cause: Cause.Cause<unknown> }>((tie) => ({
  cause: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(Cause.empty),
    fc.anything().map((error) => Cause.fail(error)),
    fc.integer().map((code) => Cause.fail(new Trouble({ code }))),
    fc.anything().map((defect) => Cause.die(defect)),
    fc.constant(Cause.interrupt(FiberId.none)),
    fc.tuple(tie("cause"), tie("cause")).map(([left, right]) => Cause.parallel(left, right)),
    fc.tuple(tie("cause"), tie("cause")).map(([left, right]) => Cause.sequential(left, right))
  )
})).cause

const exit: fc.Arbitrary<Exit.Exit<unknown, unknown>> = fc.oneof(
  fc.anything().map((value) => Exit.succeed(value)),
  cause.map((cause) => Exit.failCause(cause))
)

/** The ways in which a handler may end. */
const ways: ReadonlyArray<(exit: Exit.Exit<unknown, unknown>) => Effect.Effect<unknown, unknown>> = [
  (exit) => exit,
  (exit) => Effect.suspend(() => exit),
  (exit) => Effect.zipRight(Effect.yieldNow(), exit),
  (exit) => Effect.async((resume) => queueMicrotask(() => resume(exit))),
  (exit) => Effect.ensuring(exit, Effect.die("a finalizer")),
  (exit) => Effect.uninterruptible(exit),
  (exit) => Effect.flatMap(Effect.fork(exit), (fiber) => fiber.await).pipe(Effect.flatten),
  (exit) => {
    if (Exit.isFailure(exit)) throw exit.cause
    return exit
  }
]

describe("Settlement", () => {
  it("is total: whatever a handler ends with, the call is settled with text or with a typed error", async () => {
    const isToolError = Schema.is(ToolError)
    await fc.assert(
      fc.asyncProperty(
        exit,
        fc.constantFrom(...ways),
        fc.constantFrom(Schema.Unknown, Schema.Int, Trouble),
        async (exit, way, failure) => {
          // With a failure schema, it is also a handler that breaks its own declaration, as untyped code may.
          const declared: Schema.Schema<unknown, unknown> = Schema.compose(Schema.Unknown, failure, { strict: false })
          const handler = () => way(exit)
          const tool = Tool.make("tool", { description: "", failure: declared, handler })
          const settled = await Effect.runPromiseExit(settle(tool, call, hooks))
          if (Exit.isFailure(settled)) throw new Error(`not total: ${Cause.pretty(settled.cause)}`)
          const { value } = settled
          if (value._tag === "Succeeded") {
            expect(typeof value.output).toBe("string")
            expect(Exit.isSuccess(exit)).toBe(true)
          } else {
            expect(isToolError(value.error)).toBe(true)
            expect(value.error).toMatchObject({ callId: "c1", tool: "tool", agent: "agent" })
          }
        }
      ),
      { numRuns: numRuns(2000) }
    )
  })

  it("takes a typed failure for what it is, and a defect before the failure or the interruption that came with it", async () => {
    const settled = (end: Effect.Effect<unknown, unknown>) =>
      Effect.runPromise(settle(Tool.make("tool", { description: "", handler: () => end }), call, hooks))
    expect(
      await settled(Effect.failCause(Cause.parallel(Cause.fail("typed"), Cause.interrupt(FiberId.none))))
    ).toMatchObject({
      error: { _tag: "ToolFailure", failure: "typed" }
    })
    expect(await settled(Effect.ensuring(Effect.fail("typed"), Effect.die("finalizer")))).toMatchObject({
      error: { _tag: "ToolDefect" }
    })
    expect(
      await settled(Effect.failCause(Cause.parallel(Cause.interrupt(FiberId.none), Cause.die("boom"))))
    ).toMatchObject({ error: { _tag: "ToolDefect", incidentId: "inc_1" } })
    expect(await settled(Effect.interrupt)).toMatchObject({ error: { _tag: "ToolInterrupted" } })
  })

  it("is total for any text that a model may write as arguments", async () => {
    const tool = Tool.make("tool", {
      description: "",
      parameters: { text: Schema.String, list: Schema.optional(Schema.Array(Schema.Number)) },
      handler: ({ text }) => Effect.succeed(text)
    })
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.fullUnicodeString(),
      fc.constantFrom(
        "",
        "null",
        "[]",
        '{"text":"\\ud800"}',
        '{"__proto__":{"text":"x"}}',
        "[".repeat(100_000),
        '{"text":"\u0000"}'
      )
    )
    await fc.assert(
      fc.asyncProperty(text, async (text) => {
        const settled = await Effect.runPromise(settle(tool, { ...call, arguments: text }, hooks))
        expect(settled._tag === "Succeeded" || settled.error._tag === "InvalidArguments").toBe(true)
      }),
      { numRuns: numRuns(1000) }
    )
  })
})
