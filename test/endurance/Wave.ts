/** Sessions that are open at the same time, on a server that keeps failing. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Session from "../../src/Session.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import * as Caller from "./Caller.js"
import { between, chance } from "./chance.js"
import * as Desk from "./Desk.js"
import { type Findings, judge, none, sum, type Trace } from "./Findings.js"
import { mind } from "./mind.js"
import * as Restarting from "./Restarting.js"

export interface Options {
  readonly seed: number
  /** The number of the first session. */
  readonly first: number
  readonly size: number
}

const { Faults } = EmbeddedRealtime

const reconnect = Schedule.exponential("5 millis").pipe(
  Schedule.union(Schedule.spaced("100 millis")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurUpTo("1 minute"))
)

/** How many events the server and its clients exchange between two of its deaths, for each session. */
const eventsBetweenKills = 100
/** How many handshakes a server refuses that was just restarted, for each session. */
const refusedForEach = 0.3

export const run = (options: Options): Effect.Effect<Findings, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const { first, seed, size } = options
    /** From here on nothing is broken any more, so that everything can come to its end. */
    let isCalm = false
    let exchanged = 0
    let refusing = 0
    let refusedHandshakes = 0
    let kills = 0
    let due = yield* Deferred.make<void>()

    const refuse: EmbeddedRealtime.Faults.Fault = (step) => {
      if (step._tag !== "Connecting" || isCalm) return undefined
      const isRefused = refusing > 0 || chance(seed, 1, step.connection) < 0.1
      if (!isRefused) return undefined
      refusing = Math.max(0, refusing - 1)
      refusedHandshakes += 1
      return Faults.refuseHandshake(503)(step)
    }
    const lose: EmbeddedRealtime.Faults.Fault = (step) => {
      if (step._tag !== "Outgoing" || isCalm) return undefined
      const { connection, index } = step
      if (chance(seed, 2, connection) < 0.4 || index !== between(2, 150, seed, 3, connection)) return undefined
      return chance(seed, 4, connection) < 0.7 ? [Faults.drop] : [Faults.pass, Faults.close(1011, "Internal error")]
    }
    const server = yield* Restarting.make({
      mind,
      pace: "1 millis",
      faults: [refuse, lose],
      observe: () => {
        exchanged += 1
        if (exchanged % (eventsBetweenKills * size) === 0) Deferred.unsafeDone(due, Effect.void)
      }
    })
    const killer = yield* Effect.gen(function* () {
      while (!isCalm) {
        yield* Deferred.await(due)
        due = yield* Deferred.make<void>()
        refusing = Math.ceil(size * refusedForEach)
        kills += 1
        yield* server.restart
      }
    }).pipe(Effect.forkScoped)

    const traces = yield* converse(options, server.url, {
      calm: Effect.suspend(() => {
        isCalm = true
        return Fiber.interrupt(killer)
      })
    })
    const connections = yield* server.connections
    let findings: Findings = { ...none, kills, refusedHandshakes }
    for (const trace of traces) {
      const own: Array<EmbeddedRealtime.ServerConnection> = []
      for (const one of connections) if ((yield* one.session)["model"] === trace.name) own.push(one)
      findings = sum(findings, yield* judge(trace, own))
    }
    if (traces.length !== size) findings = { ...findings, violations: [`${first}: not every session came to its end.`] }
    return findings
  })

/** Every session takes its turns; when all have, nothing is broken any more, and each comes to its end. */
const converse = (
  { first, seed, size }: Options,
  url: string,
  { calm }: { readonly calm: Effect.Effect<unknown> }
): Effect.Effect<ReadonlyArray<Trace>, unknown> =>
  Effect.gen(function* () {
    const everybody = yield* Deferred.make<void>()
    let left = size
    const arrive = Effect.suspend(() => {
      left -= 1
      return left > 0 ? Effect.void : Effect.zipRight(calm, Deferred.succeed(everybody, undefined))
    })
    const layer = OpenAiRealtime.layer({ apiKey: Redacted.make("key"), url })

    const one = (index: number) =>
      Effect.gen(function* () {
        const name = `session-${first + index}`
        const ran: Array<string> = []
        const agent = Desk.make((callId) => ran.push(callId))
        const options = { model: name, reconnect, settings: { output_modalities: ["text"] } } as const
        // What is lost before a session has begun is its maker's to try again.
        const session = yield* Effect.retry(Session.make(agent, options), reconnect)
        const events: Array<SessionEvent<unknown>> = []
        const reading = yield* Effect.fork(
          Stream.runForEach(session.events, (event) => Effect.sync(() => events.push(event)))
        )
        const deciding = yield* Effect.fork(
          Caller.decide(session, (callId) => (chance(seed, callId.length, index) < 0.7 ? "yes" : "no"))
        )
        for (const [at, functions] of Desk.turns.entries()) yield* Caller.take(session, at + 1, functions)
        yield* arrive
        yield* Deferred.await(everybody)
        // Confirmed after everything that was sent before: the server has all of it.
        yield* session.updateConfig({ max_output_tokens: 4000 })
        const conversation = yield* session.conversation
        yield* session.close
        yield* session.await
        yield* Fiber.join(deciding)
        yield* Fiber.join(reading)
        return { name, events, conversation, ran }
      }).pipe(Effect.scoped, Effect.provide(layer))

    return yield* Effect.forEach(
      Array.from({ length: size }, (_, index) => index),
      one,
      { concurrency: "unbounded" }
    )
  })
