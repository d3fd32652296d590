import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"
import { judge } from "../../src/testing/Law.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import { Testing } from "../../src/testing.js"

const agent = Agent.make("Desk", {
  instructions: "",
  tools: [
    Tool.make("ok", { description: "", handler: () => Effect.as(Effect.sleep("1 second"), "fine") }),
    Tool.make("dies", { description: "", handler: () => Effect.die("oh") })
  ]
})

const published = (moment: Testing.Moment, tag: string): boolean =>
  moment._tag === "Published" && moment.event._tag === tag

/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

/** Is broken once this many moments have been seen. */
const atMost = (name: string, most: number, matches: (moment: Testing.Moment) => boolean) =>
  Testing.always(name, `No more than ${most}.`, () => {
    let seen = 0
    return (moments) => {
      seen += moments.filter(matches).length
      return seen > most ? [`There were ${seen}.`] : []
    }
  })

/** Laws that no library could keep, each broken by a few things together. */
const planted: ReadonlyArray<Testing.Law> = [
  Testing.always("DropsAndWrites", "Nobody writes after two drops.", ({ program }) => {
    let drops = 0
    return (moments) => {
      for (const moment of moments) {
        const tag = moment._tag === "Step" ? program.steps[moment.index]?.action._tag : undefined
        if (tag === "ConnectionDrops") drops += 1
        if (tag === "UserWrites" && drops >= 2) return ["Somebody did."]
      }
      return []
    }
  }),
  atMost("FewCalls", 2, (moment) => published(moment, "ToolStarted")),
  atMost("FewFailures", 0, (moment) => published(moment, "ToolFailed")),
  atMost("FewLosses", 1, (moment) => published(moment, "ConnectionLost")),
  atMost("FewPieces", 5, (moment) => moment._tag === "Heard"),
  Testing.law("Telling", "Who interrupts twice is told how it went.", (observation) => {
    const interrupts = observation.program.steps.filter(({ action }) => action._tag === "Interrupts").length
    const ends = Testing.events(observation).filter(({ _tag }) => _tag === "ToolSucceeded").length
    return interrupts >= 2 && ends >= 1 ? ["It is not."] : []
  })
]

const breaks = (law: Testing.Law, program: Testing.Program): Promise<boolean> => {
  const time = VirtualTime.make()
  const judged = Effect.flatMap(run(agent, program, time, {}), (observation) => judge(law, observation))
  return new Promise((resolve) =>
    Effect.runFork(
      Effect.map(judged, (violations) => resolve(violations.length > 0)),
      { scheduler: time.scheduler }
    )
  )
}

const without = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.map((_, index) => all.filter((_, other) => other !== index))

/** All programs that lack one thing of this one. */
const smaller = (program: Testing.Program): ReadonlyArray<Testing.Program> => [
  ...without(program.steps).map((steps) => ({ ...program, steps })),
  ...without(program.replies).map((replies) => ({ ...program, replies })),
  ...program.replies.flatMap((reply, index) =>
    without(reply).map((parts) => ({ ...program, replies: program.replies.with(index, parts) }))
  )
]

/** The smallest program that breaks a law, and how many programs were played to find it. */
const smallest = (law: Testing.Law, seed: number, path?: string) =>
  Effect.gen(function* () {
    let plays = 0
    let program: Testing.Program | undefined
    const noting: Testing.Law = {
      ...law,
      watch: (scene) => {
        plays += 1
        const see = law.watch?.(scene)
        return (moments, first) =>
          (see?.(moments, first) ?? Effect.succeed([])).pipe(
            Effect.tap((violations) => {
              if (violations.length > 0) program = scene.program
            })
          )
      },
      check: (observation) =>
        law.check(observation).pipe(
          Effect.tap((violations) => {
            if (violations.length > 0) program = observation.program
          })
        )
    }
    const broken = yield* Effect.flip(
      Testing.chaos(agent, { runs: 500, seed, laws: [noting], ...(path === undefined ? {} : { path }) })
    )
    if (broken._tag !== "LawsBroken" || program === undefined) return yield* Effect.dieMessage(broken.message)
    return { broken, program, smaller: plays - broken.programs }
  })

describe("The smallest program", () => {
  for (const law of planted) {
    it.live(
      `ends where ${law.name} is broken, and has no step, response or part too many`,
      () =>
        Effect.gen(function* () {
          const { broken, program, smaller: tried } = yield* smallest(law, 1)
          expect(broken.law).toBe(law.name)
          if (broken.step !== undefined) expect(program.steps).toHaveLength(broken.step)
          for (const other of smaller(program)) {
            if (other.steps.length === 0) continue
            expect(yield* Effect.promise(() => breaks(law, other)), broken.message).toBe(false)
          }
          expect(tried, "programs to find it").toBeLessThan(300)
          const again = yield* smallest(law, 1, broken.path)
          expect(again.broken.message).toBe(broken.message)
          expect(again.smaller, "the program itself, and no other").toBe(0)
        }),
      patience
    )
  }
})
