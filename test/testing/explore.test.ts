import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"
import * as Captured from "../../src/testing/captured.js"
import { Testing } from "../../src/testing.js"
import { isDeep } from "../runs.js"

class Count extends Context.Tag("test/Count")<Count, Ref.Ref<number>>() {}
const CountLive = Layer.effect(Count, Ref.make(0))

const counts = Tool.make("counts", {
  description: "",
  parameters: { by: Schema.Int.pipe(Schema.between(1, 3)) },
  handler: ({ by }) =>
    Effect.flatMap(
      Count,
      Ref.updateAndGet((n) => n + by)
    )
})
const agent = Agent.make("Counter", { instructions: "", tools: [counts] })

const atMostFour = Testing.law("AtMostFour", "Nobody counts further than four.", () =>
  Effect.map(Effect.flatMap(Count, Ref.get), (n) => (n > 4 ? [`It is ${n}.`] : []))
)

describe("chaos", () => {
  it.live("looks into the services of each program, and finds what breaks a law of the test's own", () =>
    Effect.gen(function* () {
      const broken = yield* Effect.flip(
        Testing.chaos(agent, { runs: 300, seed: 1, laws: [atMostFour], layer: CountLive })
      )
      expect(broken).toMatchObject({ _tag: "LawsBroken", law: "AtMostFour", seed: 1 })
      expect(broken.message).toContain("AtMostFour is broken: Nobody counts further than four.")
      expect(broken.message).toContain('It calls counts({"by":')
      expect(broken.message).toContain("ToolSucceeded")
      expect(broken).toMatchObject({ step: undefined })
      const again = yield* Effect.flip(
        Testing.chaos(agent, {
          seed: 1,
          ...(broken._tag === "LawsBroken" ? { path: broken.path } : {}),
          laws: [atMostFour],
          layer: CountLive
        })
      )
      expect(again.message, "the same program does the same again, to the letter").toBe(broken.message)
    })
  )

  it.live("names the step after which a law was broken, and plays no further", () =>
    Effect.gen(function* () {
      let looksAfter = 0
      const neverTwice = Testing.always("NeverTwice", "Nobody writes twice.", ({ program }) => {
        let writes = 0
        return (moments) => {
          if (writes > 1) looksAfter += 1
          for (const moment of moments) {
            if (moment._tag !== "Step") continue
            if (program.steps[moment.index]?.action._tag === "UserWrites") writes += 1
          }
          return writes > 1 ? ["Somebody did."] : []
        }
      })
      const broken = yield* Effect.flip(
        Testing.chaos(agent, { runs: 50, seed: 1, laws: [neverTwice], layer: CountLive })
      )
      expect(broken).toMatchObject({ law: "NeverTwice", step: 2, violations: ["Somebody did."] })
      expect(broken.message).toContain("NeverTwice is broken after step 2: Nobody writes twice.")
      expect(looksAfter).toBe(0)
    })
  )

  it.live.runIf(isDeep)(
    "says so where the failing program is so long that the smallest one was not looked for to the end",
    () =>
      Effect.gen(function* () {
        const brief = (steps: number) =>
          Testing.always(
            "Brief",
            "Programs are short.",
            ({ program }) =>
              () =>
                program.steps.length > steps ? ["It is long."] : []
          )
        const messageOf = (steps: number, maxSteps: number) =>
          Effect.map(
            Effect.flip(Testing.chaos(agent, { runs: 100, seed: 1, maxSteps, laws: [brief(steps)], layer: CountLive })),
            ({ message }) => message
          )
        expect(yield* messageOf(300, 600)).toContain(
          "There may be a smaller program: the search stopped after 10,000 steps."
        )
        expect(yield* messageOf(2, 10)).not.toContain("smaller one")
      })
  )

  it.live("takes the same course each time, whatever was tried before", () =>
    Effect.gen(function* () {
      const courseOf = (runs: { readonly seed: number; readonly path?: string; readonly runs: number }) => {
        const courses: Array<string> = []
        const course = Testing.law("Course", "It is as it is.", ({ timeline }) => {
          courses.push(JSON.stringify(timeline))
          return []
        })
        return Effect.as(Testing.chaos(agent, { ...runs, laws: [course], layer: CountLive }), courses)
      }
      const all = yield* courseOf({ seed: 5, runs: 6 })
      expect(yield* courseOf({ seed: 5, runs: 6 })).toEqual(all)
      for (const path of ["5", "3"]) {
        expect(yield* courseOf({ seed: 5, runs: 1, path }), path).toEqual([all[Number(path)]])
      }
    })
  )

  it.live("breaks nothing where nothing is wrong, and asks the layer for each program", () =>
    Effect.gen(function* () {
      let made = 0
      const layer = Layer.effect(
        Count,
        Effect.suspend(() => {
          made += 1
          return Ref.make(0)
        })
      )
      expect(yield* Testing.chaos(agent, { runs: 10, seed: 2, layer })).toEqual({ programs: 10, seed: 2 })
      expect(made).toBe(10)
    })
  )

  it.live("takes what the agent requires from outside, where no layer gives it", () =>
    Effect.gen(function* () {
      const { programs } = yield* Testing.chaos(agent, { runs: 5, seed: 3 })
      expect(programs).toBe(5)
      expect(yield* Effect.flatMap(Count, Ref.get), "one service for all programs").toBeGreaterThanOrEqual(0)
    }).pipe(Effect.provide(CountLive))
  )

  it.live("ends with the failure of a layer, and refuses an agent that no session would take", () =>
    Effect.gen(function* () {
      const broken = Layer.fail("no database" as const)
      expect(yield* Effect.flip(Testing.chaos(agent, { layer: Layer.merge(CountLive, broken) }))).toBe("no database")
      const twice = Agent.make("Twice", { instructions: "", tools: [counts, counts] })
      expect(yield* Effect.flip(Testing.chaos(twice, { layer: CountLive }))).toMatchObject({ _tag: "AgentInvalid" })
    })
  )

  it.live("tries nothing where it would prove nothing: no run at all, or sessions that cannot be made", () =>
    Effect.gen(function* () {
      const none = yield* Effect.flip(Testing.chaos(agent, { layer: CountLive, runs: 0 }))
      expect(none).toMatchObject({ _tag: "OptionsInvalid", of: "Testing.chaos", problems: [{ option: "runs" }] })
      const session = { approvalTimeout: Number.NaN, replay: { maxItems: -1 } }
      expect(yield* Effect.flip(Testing.chaos(agent, { layer: CountLive, session }))).toMatchObject({
        _tag: "OptionsInvalid",
        of: "the sessions of Testing.chaos",
        problems: [{ option: "approvalTimeout" }, { option: "replay.maxItems" }]
      })
    })
  )

  it.live("shows nothing of what the programs log, but the last lines of the smallest one that breaks a law", () =>
    Effect.gen(function* () {
      const outside = Captured.make(() => 0)
      const logs = Tool.make("logs", {
        description: "",
        handler: () =>
          Effect.gen(function* () {
            for (let line = 1; line <= 100; line += 1) yield* Effect.logInfo(`line ${line}`)
            yield* Console.error("on the console", { n: 1 })
            yield* Effect.logWarning("x".repeat(10_000))
          })
      })
      const neverLogs = Testing.always("NeverLogs", "Nothing is called.", () => (moments) => {
        const called = moments.some((moment) => moment._tag === "Published" && moment.event._tag === "ToolSucceeded")
        return called ? ["Something was."] : []
      })
      const chatty = Agent.make("Chatty", { instructions: "", tools: [logs] })
      const everyLogger = Layer.mergeAll(
        Logger.add(Logger.withConsoleLog(Logger.stringLogger)),
        Logger.add(Logger.prettyLogger({ mode: "tty" }))
      )
      const broken = yield* Effect.flip(
        Testing.chaos(chatty, { runs: 200, maxSteps: 6, seed: 1, laws: [neverLogs], layer: everyLogger })
      ).pipe(Effect.withConsole(outside.console))
      expect(outside.lines()).toEqual({ last: [], dropped: 0 })
      const lines = broken.message.split("\n")
      const first = lines.findIndex((line) => line.startsWith("What it logged last, after "))
      expect(first).toBeGreaterThan(0)
      const logged = lines.slice(first + 1, lines.lastIndexOf(""))
      expect(logged).toHaveLength(30)
      expect(logged.join("\n")).toContain('on the console {"n":1}')
      expect(Math.max(...logged.map((line) => line.length))).toBeLessThan(400)
    })
  )

  it.live("tells the program of a session that could not begin, or never does", () =>
    Effect.gen(function* () {
      const begins = (instructions: Effect.Effect<string>, seed: number) =>
        Effect.flip(
          Testing.chaos(Agent.make("Shy", { instructions }), { runs: 20, seed, session: { settingsTimeout: "1 hour" } })
        )
      const never = yield* begins(Effect.never, 1)
      expect(never).toMatchObject({ law: "Isolation", programs: 1 })
      expect(never.message).toContain("The session did not begin within 60 seconds")
      const dies = yield* begins(Effect.dieMessage("no words"), 1)
      expect(dies).toMatchObject({ law: "Isolation", programs: 1 })
      expect(dies.message).toContain("The session could not begin:")
      expect(dies.message).toContain("To repeat: seed 1, path")
    })
  )

  it.live("has content in each line, even for an empty conversation and for events without fields", () =>
    Effect.gen(function* () {
      const messages: Array<string> = []
      const begins = (of: "Edited" | "Resumed") =>
        Testing.always(
          "Begins",
          "No program begins so.",
          ({ program: { beginning } }) =>
            () =>
              beginning._tag === of ? ["One did."] : []
        )
      for (const of of ["Edited", "Resumed"] as const) {
        const broken = yield* Effect.flip(
          Testing.chaos(agent, { runs: 100, seed: 1, laws: [begins(of)], layer: CountLive })
        )
        messages.push(broken.message)
      }
      const [edited = "", resumed = ""] = messages
      expect(edited).toContain("The application empties the conversation before anything is said.")
      expect(resumed).toContain("It resumes after a process died before anything was said.")
      for (const message of messages) {
        expect(message).toContain("Each of the model's responses is one sentence.")
        const lines = message.split("\n")
        for (const [index, line] of lines.entries()) {
          if (line.endsWith(":")) expect(lines[index + 1], line).toMatch(/^ /)
          expect(line).not.toMatch(/ \{\}$|\[\{\}/)
        }
      }
    })
  )

  it.live("says that a session cannot begin, and does not wait forever with it", () =>
    Effect.gen(function* () {
      const mute = Agent.make("Mute", { instructions: Effect.never })
      const exit = yield* Effect.exit(Testing.chaos(mute, { runs: 5, seed: 1 }))
      expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toContain("Its `instructions` did not end within")
    })
  )

  it("says the same as a promise", async () => {
    await expect(Testing.check(agent, { runs: 5, seed: 2, layer: CountLive })).resolves.toEqual({
      programs: 5,
      seed: 2
    })
    const never = Testing.law("Never", "Nothing happens.", () => ["It did."])
    await expect(
      Testing.check(agent, { runs: 5, seed: 2, maxSteps: 1, laws: [never], layer: CountLive })
    ).rejects.toMatchObject({ _tag: "LawsBroken" })
  })
})
