import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Agent from "../Agent.js"
import { TaggedError } from "../common/TaggedError.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import type * as Session from "../Session.js"
import { program } from "./arbitraries.js"
import * as Captured from "./captured.js"
import type { Law, Violation } from "./Law.js"
import * as Laws from "./Laws.js"
import type { Moment, Observation, Scene } from "./Observation.js"
import type { Program } from "./Program.js"
import { print } from "./print.js"
import { run, sceneOf } from "./run.js"
import { Stage } from "./Stage.js"
import * as VirtualTime from "./VirtualTime.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<E, ROut = never, LE = never, RIn = never, RLaws = never> {
  /** The number of programs: 1 or more. Default: 100. */
  readonly runs?: number
  /** Default: a new one each time. The report and a failure name it. */
  readonly seed?: number
  /** With `seed`, runs only the program that broke a law again, without smaller ones. A failure gives it. */
  readonly path?: string
  /** The maximum number of steps in a program. Default: 15. */
  readonly maxSteps?: number
  /** The requirements of the agent and the laws, made anew for each program. */
  readonly layer?: Layer.Layer<ROut, LE, RIn>
  /** Your own laws, in addition to those of every session. */
  readonly laws?: ReadonlyArray<Law<E, RLaws>>
  /** Texts that must never be sent, such as a key that the agent's services hold. */
  readonly secrets?: ReadonlyArray<string>
  /** Options of the sessions. */
  readonly session?: Session.Options
  /** Called after each program without a violation, with the number of programs so far. */
  readonly onProgress?: (programs: number) => void
}

/**
 * What was tried without a violation.
 *
 * @since 0.1.0
 * @category reports
 */
export interface Report {
  readonly programs: number
  readonly seed: number
}

/**
 * A program broke a law. The message describes the smallest such program that was found, what happened in it, and what
 * it logged. No step, response or part of a response can be left out of it, unless shrinking stopped after 10,000
 * steps: then the message says so.
 *
 * @since 0.1.0
 * @category errors
 */
export class LawsBroken extends TaggedError<LawsBroken>()("LawsBroken", {
  law: Schema.String,
  violations: Schema.Array(Schema.String),
  /** The step of the smallest program after which the law was broken, from 1; absent if only the end showed it. */
  step: Schema.UndefinedOr(Schema.Number),
  /** Pass `seed` and `path` as options to repeat the failure. */
  seed: Schema.Number,
  path: Schema.String,
  /** The number of programs, including this one but not the smaller ones. */
  programs: Schema.Number,
  message: Schema.String
}) {}

/** Programs leave no time for other work: between some of them, the process handles signals and timers. */
const playsInARow = 10

/** The total number of steps in smaller programs. For the default length, a tenth of it is enough. */
const maxStepsOfSmaller = 10_000
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** A law that a program broke, with everything that is wrong. */
interface Broken<E> {
  readonly law: Law<E, never> | { readonly name: string; readonly says: string }
  readonly violations: ReadonlyArray<Violation>
  readonly step: number | undefined
  readonly observation: Observation<E>
  readonly logged: Captured.Lines
}

/** Shows each law what has happened since the last call. */
const watch = <E, R>(laws: ReadonlyArray<Law<E, R>>, scene: Scene) => {
  const watches = laws.flatMap((law) => (law.watch === undefined ? [] : [{ law, see: law.watch(scene) }]))
  let seen = 0
  let steps = 0
  let broken: Pick<Broken<E>, "law" | "violations" | "step"> | undefined
  return {
    broken: () => broken,
    look: (timeline: ReadonlyArray<Moment<E>>): Effect.Effect<"go on" | "stop", never, R> =>
      Effect.gen(function* () {
        if (broken !== undefined) return "stop"
        const moments = timeline.slice(seen)
        const first = seen
        seen = timeline.length
        for (const { _tag } of moments) steps = _tag === "Step" ? steps + 1 : _tag === "LeftAlone" ? 0 : steps
        for (const { law, see } of watches) {
          const violations = yield* see(moments, first)
          if (violations.length === 0) continue
          broken = { law, violations, step: steps === 0 ? undefined : steps }
          return "stop"
        }
        return "go on"
      })
  }
}

/**
 * Runs an agent through random programs, and checks the laws of every session and your own laws: after each step, what
 * must never happen, and at the end, what must have happened. The requirements of its tools, guardrails, handoffs and
 * instructions come from `layer`, made anew for each program, or from the environment, once for all programs.
 *
 * Time is virtual, so hours take no time, and the same seed gives the same result. Handlers must not wait for the
 * outside world: give them services that do not. Output to Effect's console is not shown; a failure has the last lines
 * of its program.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Agent, Tool } from "effect-realtime"
 * import { Testing } from "effect-realtime/testing"
 *
 * const dice = Tool.make("roll_dice", { description: "Rolls", handler: () => Effect.succeed(4) })
 * const agent = Agent.make("Croupier", { instructions: "Roll when asked.", tools: [dice] })
 *
 * export const program = Testing.chaos(agent, { runs: 200 })
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const chaos = <E, R, ROut = never, LE = never, RIn = never, RLaws = never>(
  agent: Agent.Agent<E, R>,
  options: Options<E, ROut, LE, RIn, RLaws> = {}
): Effect.Effect<
  Report,
  LawsBroken | Agent.AgentInvalid | OptionsInvalid | LE,
  Exclude<Exclude<R | RLaws, RealtimeModel>, ROut> | RIn
> =>
  Effect.gen(function* () {
    yield* Agent.validate(agent)
    yield* Rule.validate("Testing.chaos", rules.chaos, options)
    yield* Rule.validate("the sessions of Testing.chaos", rules.session, options.session ?? {})
    type Outside = Exclude<Exclude<R | RLaws, RealtimeModel>, ROut> | RIn
    const runtime = yield* Effect.runtime<Outside>()
    const stage = yield* Stage
    const all: ReadonlyArray<Law<E, RLaws>> = [...Laws.all(options.secrets ?? []), ...(options.laws ?? [])]
    const judged = (given: Program) => {
      const program = stage.adapt(given)
      const excused = stage.excused(program)
      const laws = all.filter(({ name }) => !excused.includes(name))
      const time = VirtualTime.make()
      const { console, lines } = Captured.make(() => (time.now() - VirtualTime.beginning) / 1_000)
      const judging = Effect.gen(function* () {
        const watching = watch(laws, sceneOf(agent, program, options.session ?? {}, stage.traits))
        const observation = yield* run(agent, program, time, options.session ?? {}, watching.look)
        yield* watching.look(observation.timeline)
        const seen = watching.broken()
        if (seen !== undefined) return { ...seen, observation, logged: lines() } satisfies Broken<E>
        for (const law of laws) {
          const violations = yield* law.check(observation)
          if (violations.length === 0) continue
          return { law, violations, observation, logged: lines(), step: undefined } satisfies Broken<E>
        }
        return undefined
      })
      const layer = options.layer ?? Layer.empty
      // The runtime has what `layer` does not give: the types of the signature guarantee this, but TypeScript cannot
      // infer it.
      const whole = judging.pipe(
        Effect.provide(layer),
        Effect.withClock(time.clock),
        Effect.withConsole(console)
      ) as Effect.Effect<Broken<E> | undefined, LE, Outside>
      const fiber = Runtime.runFork(runtime)(whole, { scheduler: time.scheduler })
      return new Promise<Exit.Exit<Broken<E> | undefined, LE>>((resolve) => fiber.addObserver(resolve))
    }

    let failure: Exit.Exit<never, LE> | undefined
    let broken: Broken<E> | undefined
    let programs = 0
    let plays = 0
    let stepsOfSmaller = 0
    const property = fc.asyncProperty(program(agent, options), async (program) => {
      if (broken !== undefined) {
        stepsOfSmaller += program.steps.length
        if (stepsOfSmaller > maxStepsOfSmaller) return
      }
      plays += 1
      if (plays % playsInARow === 0) await turn()
      const exit = await judged(program)
      if (Exit.isFailure(exit)) {
        failure = Exit.failCause(exit.cause)
        throw new Error("The layer failed.")
      }
      const found = exit.value
      if (found !== undefined) {
        // A smaller program that breaks another law does not explain this failure.
        if (broken !== undefined && broken.law.name !== found.law.name) return
        broken = found
        throw new Error(found.law.name)
      }
      if (broken !== undefined) return
      programs += 1
      options.onProgress?.(programs)
    })

    const { counterexamplePath, failed, seed } = yield* Effect.promise(() =>
      fc.check(property, {
        numRuns: options.runs ?? 100,
        ...(options.seed === undefined ? {} : { seed: options.seed }),
        ...(options.path === undefined ? {} : { path: options.path, endOnFailure: true })
      })
    )
    if (failure !== undefined) return yield* failure
    if (!failed || broken === undefined) return { programs, seed }
    const { law, logged, observation, step, violations } = broken
    const path = counterexamplePath ?? ""
    return yield* new LawsBroken({
      law: law.name,
      violations: violations.map(({ message }) => message),
      step,
      seed,
      path,
      programs: programs + 1,
      message: print({
        law,
        violations,
        step,
        observation,
        logged,
        seed,
        path,
        stepsOfSmaller: stepsOfSmaller > maxStepsOfSmaller ? maxStepsOfSmaller : undefined
      })
    })
  })

/**
 * `chaos` as a promise, for tests without Effect. Rejects with `LawsBroken`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Agent, Tool } from "effect-realtime"
 * import { Testing } from "effect-realtime/testing"
 *
 * const dice = Tool.make("roll_dice", { description: "Rolls", handler: () => Effect.succeed(4) })
 * const agent = Agent.make("Croupier", { instructions: "Roll when asked.", tools: [dice] })
 *
 * export const report = Testing.check(agent, { runs: 200 })
 * ```
 *
 * @since 0.1.0
 * @category running
 */
export const check = <E, R extends ROut | RealtimeModel, ROut = never, LE = never, RLaws extends ROut = never>(
  agent: Agent.Agent<E, R>,
  options: Options<E, ROut, LE, never, RLaws> = {}
): Promise<Report> =>
  // `layer` has all requirements: the type parameters guarantee this, but TypeScript cannot infer it.
  (Effect.either(chaos(agent, options)) as Effect.Effect<Either.Either<Report, unknown>>).pipe(
    Effect.runPromise,
    (promise) => promise.then(Either.getOrThrowWith((error) => error))
  )
