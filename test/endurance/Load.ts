/** Callers who talk in laps: each lap does the same work, and leaves the same amount of memory in use. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Conversation } from "../../src/Conversation.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as CallLedger from "../../src/machine/CallLedger.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Session from "../../src/Session.js"
import * as Caller from "./Caller.js"
import { chance } from "./chance.js"
import * as Desk from "./Desk.js"
import { mind } from "./mind.js"
import * as Restarting from "./Restarting.js"

export interface Load {
  /** Everybody takes their turns; afterwards those who stay are on a new server, and nobody else is there. */
  readonly lap: Effect.Effect<void, unknown>
  readonly responses: () => number
  readonly losses: () => number
}

export interface Options {
  /** Callers whose session lasts as long as the load. */
  readonly staying: number
  /** Callers who hang up at the end of each lap. */
  readonly passing: number
  readonly seed: number
  /** Bytes that are kept for each response. */
  readonly leak: number
}

const reconnect = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("100 millis")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(1000))
)

/** Within the session's limit for one turn. */
const callsAtOnce = 60
/** What stays of a conversation at the end of a lap. */
const itemsKept = 20
/** The chance of each event of the server to be the last one of its connection. */
const lossRate = 1 / 2000
/** 100 ms of PCM16 at 24,000 samples per second. */
const chunk = new Uint8Array(4800).fill(7)

interface Call {
  readonly session: Session.Session<unknown>
  /** Whether the caller speaks and is spoken to, in turns that are typed all the same. */
  readonly isAloud: boolean
  /** Turns that were taken. */
  turns: number
}

export const make = ({ leak, passing, seed, staying }: Options): Effect.Effect<Load, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    let responses = 0
    let losses = 0
    let laps = 0
    const kept: Array<Uint8Array> = []
    const lose: EmbeddedRealtime.Faults.Fault = (step) =>
      step._tag === "Outgoing" && chance(seed, step.connection, step.index) < lossRate
        ? [EmbeddedRealtime.Faults.drop]
        : undefined
    const server = yield* Restarting.make({ mind, pace: 0, faults: [lose] }, "current")
    const layer = OpenAiRealtime.layer({ apiKey: Redacted.make("key"), url: server.url })

    const dial = (index: number): Effect.Effect<Call, unknown, Scope.Scope> =>
      Effect.gen(function* () {
        const isAloud = index % 2 === 1
        const settings = {
          output_modalities: [isAloud ? "audio" : "text"],
          audio: { input: { turn_detection: null } }
        } as const
        const session: Session.Session<unknown> = yield* Effect.retry(
          Session.make(
            Desk.make(() => undefined),
            { reconnect, settings, maxCallsPerTurn: callsAtOnce }
          ),
          reconnect
        )
        yield* Effect.forkScoped(Caller.decide(session, () => "yes"))
        yield* Effect.forkScoped(Stream.runDrain(session.audio))
        yield* Effect.forkScoped(Stream.runDrain(session.errors))
        yield* Effect.forkScoped(
          Stream.runForEach(session.events, (event) =>
            Effect.sync(() => {
              if (event._tag === "ConnectionLost") losses += 1
              if (event._tag !== "ResponseDone") return
              responses += 1
              if (leak > 0) kept.push(new Uint8Array(leak))
            })
          )
        )
        return { session, isAloud, turns: 0 }
      }).pipe(Effect.provide(layer))

    const take = (call: Call, functions: ReadonlyArray<string>): Effect.Effect<void, unknown> =>
      Effect.suspend(() => {
        call.turns += 1
        return Caller.take(call.session, call.turns, functions)
      })

    const talk = (call: Call): Effect.Effect<void, unknown> =>
      Effect.gen(function* () {
        const { isAloud, session } = call
        for (const functions of [...Desk.turns, ...Desk.turns]) {
          if (isAloud) {
            yield* session.sendAudio(chunk)
            yield* session.sendAudio(chunk)
            yield* session.commitAudio
          }
          yield* take(call, functions)
        }
        yield* session.editConversation(forgetOld)
      })

    const stayed = yield* Effect.forEach(indices(0, staying), dial, { concurrency: "unbounded" })
    // What a session remembers of its calls has a bound, and is to be full before anything is measured.
    const remembered = CallLedger.defaults.maxRemembered
    const fill = (call: Call): Effect.Effect<void, unknown> =>
      Effect.gen(function* () {
        const functions = Array.from({ length: callsAtOnce }, () => "note")
        for (let calls = 0; calls < remembered; calls += callsAtOnce) {
          yield* take(call, functions)
          yield* call.session.editConversation(forgetOld)
        }
      })
    yield* Effect.forEach(stayed, fill, { concurrency: "unbounded" })

    const talkAll = Effect.all(
      [
        Effect.forEach(stayed, talk, { concurrency: "unbounded" }),
        Effect.forEach(indices(staying, passing), (index) => Effect.scoped(Effect.flatMap(dial(index), talk)), {
          concurrency: "unbounded"
        })
      ],
      { concurrency: "unbounded", discard: true }
    )

    const renew = Effect.gen(function* () {
      laps += 1
      yield* laps % 2 === 0 ? server.restart : server.replace
      // Confirmed by the new server.
      yield* Effect.forEach(stayed, ({ session }) => session.updateConfig({ max_output_tokens: 4000 }), {
        concurrency: "unbounded"
      })
    })

    return {
      responses: () => responses,
      losses: () => losses,
      lap: Effect.zipRight(talkAll, renew)
    }
  })

const indices = (from: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, at) => from + at)

const forgetOld = ({ items }: Conversation): Conversation => ({ items: items.slice(-itemsKept) })
