/** Callers that talk without a pause, and rest together when they are told to. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Conversation } from "../../src/Conversation.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Session from "../../src/Session.js"
import * as Caller from "./Caller.js"
import { chance } from "./chance.js"
import * as Desk from "./Desk.js"
import { mind } from "./mind.js"
import * as Restarting from "./Restarting.js"

export interface Load {
  /** Talks for so long, then rests; `measure` runs when every session is back on a new server. */
  readonly lap: (ms: number, measure: Effect.Effect<void>) => Effect.Effect<void>
  readonly responses: () => number
  readonly losses: () => number
}

export interface Options {
  readonly callers: number
  readonly seed: number
  /** Bytes that are kept for each response. */
  readonly leak: number
}

const reconnect = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("100 millis")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(1000))
)

/** The turns of a caller who hangs up; one of them stays on the line, and has old items deleted. */
const turnsOfACall = 12
/** What stays of a conversation when old items are deleted. */
const itemsKept = 20
/** The chance of each event of the server to be the last one of its connection. */
const lossRate = 1 / 2000
/** 100 ms of PCM16 at 24,000 samples a second. */
const chunk = new Uint8Array(4800).fill(7)

export const make = ({ callers, leak, seed }: Options): Effect.Effect<Load, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    let responses = 0
    let losses = 0
    let laps = 0
    const kept: Array<Uint8Array> = []
    const online = new Set<Session.Session<unknown>>()
    const failure = yield* Deferred.make<never, unknown>()
    const lose: EmbeddedRealtime.Faults.Fault = (step) =>
      step._tag === "Outgoing" && chance(seed, step.connection, step.index) < lossRate
        ? [EmbeddedRealtime.Faults.drop]
        : undefined
    const server = yield* Restarting.make({ mind, pace: 0, faults: [lose] }, "current")
    const layer = OpenAiRealtime.layer({ apiKey: Redacted.make("key"), url: server.url })
    /** Open while callers may talk. */
    const floor = yield* Effect.makeLatch(true)
    let talking = 0
    let silence = yield* Deferred.make<void>()
    const whileAllowed = <A, E, R>(talk: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.zipRight(
        floor.await,
        Effect.acquireUseRelease(
          Effect.sync(() => {
            talking += 1
          }),
          () => talk,
          () =>
            Effect.sync(() => {
              talking -= 1
              if (talking === 0) Deferred.unsafeDone(silence, Effect.void)
            })
        )
      )

    const call = (index: number) =>
      Effect.gen(function* () {
        const isAloud = index % 2 === 1
        const session = yield* whileAllowed(
          Effect.retry(
            Session.make(
              Desk.make(() => undefined),
              {
                reconnect,
                settings: {
                  output_modalities: [isAloud ? "audio" : "text"],
                  audio: { input: { turn_detection: null } }
                }
              }
            ),
            reconnect
          )
        )
        online.add(session)
        yield* Effect.addFinalizer(() => Effect.sync(() => online.delete(session)))
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
        for (let n = 1; index === 0 || n <= turnsOfACall; n += 1) {
          const functions = Desk.turns[n % Desk.turns.length] ?? []
          const say = Effect.gen(function* () {
            if (isAloud) {
              yield* session.sendAudio(chunk)
              yield* session.sendAudio(chunk)
              yield* session.commitAudio
            }
            yield* Caller.take(session, n, functions)
            if (n % turnsOfACall === 0) yield* session.editConversation(forgetOld)
          })
          yield* whileAllowed(say)
        }
      }).pipe(Effect.scoped, Effect.provide(layer))

    yield* Effect.forEach(
      Array.from({ length: callers }, (_, index) => index),
      (index) => Effect.forever(call(index)),
      {
        concurrency: "unbounded",
        discard: true
      }
    ).pipe(
      Effect.onError((cause) => Deferred.failCause(failure, cause)),
      Effect.forkScoped
    )

    const rest = (measure: Effect.Effect<void>) =>
      Effect.gen(function* () {
        laps += 1
        silence = yield* Deferred.make<void>()
        yield* floor.close
        if (talking > 0) yield* Deferred.await(silence)
        yield* laps % 2 === 0 ? server.restart : server.replace
        // Confirmed by the new server.
        yield* Effect.forEach(online, (session) => Effect.ignore(session.updateConfig({ max_output_tokens: 4000 })), {
          concurrency: "unbounded",
          discard: true
        })
        yield* measure
        yield* floor.open
      })

    return {
      responses: () => responses,
      losses: () => losses,
      lap: (ms, measure) =>
        Effect.sleep(ms).pipe(Effect.zipRight(rest(measure)), Effect.raceFirst(Deferred.await(failure)), Effect.orDie)
    }
  })

const forgetOld = ({ items }: Conversation): Conversation => ({ items: items.slice(-itemsKept) })
