import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import type * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Agent from "../../../src/Agent.js"
import { call, cutShort, fail, pause, say, stall } from "../../../src/ScriptedModel.js"
import type * as Session from "../../../src/Session.js"
import * as Tool from "../../../src/Tool.js"
import { numRuns } from "../../runs.js"
import { type Harness, open } from "../harness.js"

const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("echo") })
const quiet = Tool.make("quiet", { description: "", reply: "silent", handler: () => Effect.succeed("quiet") })
const slow = Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "slow") })
const agent = Agent.make("Desk", { instructions: "Desk.", tools: [echo, quiet, slow] })

const part = fc.constantFrom(
  say("All right."),
  say("One moment."),
  pause("3 seconds"),
  call("echo"),
  call("slow"),
  call("quiet")
)
const end = fc.option(
  fc.constantFrom(fail("server_error"), fail("content_policy"), stall, cutShort("max_output_tokens"))
)
const turn = fc
  .tuple(fc.array(part, { maxLength: 3 }), end)
  .map(([parts, last]) => (last === null ? parts : [...parts, last]))

const step = fc.constantFrom(
  "ask",
  "ask",
  "ask with parameters",
  "say",
  "interrupt",
  "user speaks",
  "connection is lost",
  "time passes",
  "time passes"
)

interface Asked {
  readonly itemId: string
  readonly exit: Exit.Exit<Session.Answer, Session.AskError>
}

/** Asks, and notes how it ended. */
const asking = (h: Harness<never>, asked: Array<Asked>, itemId: string, options?: { response: object }) =>
  h.session
    .ask({ id: itemId, type: "message", role: "user", content: [{ type: "input_text", text: itemId }] }, options)
    .pipe(Effect.onExit((exit) => Effect.sync(() => asked.push({ itemId, exit }))))

/** What was said in these responses: nothing of it is missing in an answer, but for what was tried again. */
const saidIn = (h: Harness<never>, responseIds: ReadonlyArray<string>) =>
  h.all("TextCompleted").flatMap(({ responseId, text }) => (responseIds.includes(responseId) ? [text] : []))

const isInterrupting = (steps: ReadonlyArray<string>): boolean =>
  steps.includes("interrupt") || steps.includes("user speaks")

const checkAnswer = (h: Harness<never>, itemId: string, answer: Session.Answer): void => {
  const isOf = (responseId: string): boolean => answer.responseIds.includes(responseId)
  expect(answer.itemId).toBe(itemId)
  const done = h.all("ResponseDone").filter(({ responseId }) => isOf(responseId))
  const started = h.all("ResponseStarted").filter(({ responseId }) => isOf(responseId))
  expect(started.map(({ responseId }) => responseId)).toEqual(answer.responseIds)
  expect(started[0]?.cause?.itemIds).toContain(itemId)
  expect(done.find(({ responseId }) => responseId === answer.responseIds.at(-1))?.status).toBe(answer.status)
  const lines = answer.text.split("\n").filter((line) => line !== "")
  expect(saidIn(h, answer.responseIds)).toEqual(expect.arrayContaining(lines))
  const isPlain = done.every(({ status }) => status === "completed")
  if (isPlain) expect(lines).toEqual(saidIn(h, answer.responseIds))
  // It was whole: nothing went on after it.
  const further = h.all("ResponseStarted").filter(({ cause }) => cause?.responseIds.some(isOf))
  expect(answer.responseIds).toEqual(expect.arrayContaining(further.map(({ responseId }) => responseId)))
}

const check = (h: Harness<never>, steps: ReadonlyArray<string>, { exit, itemId }: Asked): void => {
  if (Exit.isSuccess(exit)) {
    checkAnswer(h, itemId, exit.value)
    return
  }
  const error = Effect.runSync(Effect.flip(exit))
  if (error._tag === "AnswerInterrupted") expect(steps).toSatisfy(isInterrupting)
  else if (error._tag === "AnswerLost") {
    expect(h.all("ResponseStalled").length + h.all("ConnectionLost").length).toBeGreaterThan(0)
  } else expect(error).toMatchObject({ _tag: "AnswerRefused", code: "content_policy" })
}

describe("Answers, whatever happens between", () => {
  it("come, or fail as they may, and each once; what answers names the question", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(turn, { maxLength: 6 }),
        fc.array(step, { minLength: 1, maxLength: 8 }),
        (turns, steps) =>
          Effect.gen(function* () {
            const h = yield* open(agent, turns)
            const asked: Array<Asked> = []
            const fibers: Array<Fiber.RuntimeFiber<unknown, unknown>> = []
            for (const [index, one] of steps.entries()) {
              switch (one) {
                case "ask":
                  fibers.push(yield* Effect.fork(asking(h, asked, `itm_${index}`)))
                  break
                case "ask with parameters":
                  fibers.push(
                    yield* Effect.fork(asking(h, asked, `itm_${index}`, { response: { instructions: "Go." } }))
                  )
                  break
                case "say":
                  yield* h.session.sendText("Well.")
                  break
                case "interrupt":
                  yield* h.session.interrupt
                  break
                case "user speaks":
                  yield* Effect.fork(h.model.userSays("Hm."))
                  break
                case "connection is lost":
                  yield* Effect.fork(h.model.drop())
                  break
                case "time passes":
                  yield* TestClock.adjust("2 seconds")
                  break
              }
            }
            for (let round = 0; round < 400 && asked.length < fibers.length; round += 1)
              yield* TestClock.adjust("2 seconds")
            expect(asked.map(({ itemId }) => itemId).toSorted()).toHaveLength(fibers.length)
            yield* TestClock.adjust("1 minute")
            for (const one of asked) check(h, steps, one)
          }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext), Effect.runPromise)
      ),
      { numRuns: numRuns(200) }
    ))
})
