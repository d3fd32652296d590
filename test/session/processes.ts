/** Sessions of processes that end, and that other processes take up. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import type * as Tool from "../../src/Tool.js"

export const settings = { output_modalities: ["text"] } as const

/** A process with a session: `kill` ends it without a word, as far as the journal goes. */
export const processOf = <E, R>(
  session: Effect.Effect<Session.Session<E>, unknown, R | Scope.Scope | RealtimeModel>,
  turns: ReadonlyArray<ScriptedModel.Turn>,
  server: Parameters<typeof ScriptedModel.make>[1] = {}
) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    const model = yield* ScriptedModel.make(turns, server)
    const opened = yield* session.pipe(Effect.provideService(RealtimeModel, model.model), Scope.extend(scope))
    const events: Array<SessionEvent<E>> = []
    const first = yield* Deferred.make<void>()
    yield* opened.events.pipe(
      Stream.runForEach((event) =>
        Effect.zipRight(
          Effect.sync(() => events.push(event)),
          Deferred.succeed(first, undefined)
        )
      ),
      Effect.forkIn(scope)
    )
    const until = <T extends SessionEvent["_tag"]>(tag: T, nth = 1) =>
      Effect.iterate(undefined as Extract<SessionEvent<E>, { readonly _tag: T }> | undefined, {
        while: (found) => found === undefined,
        body: () =>
          Effect.as(
            Effect.yieldNow(),
            events.filter((event): event is Extract<SessionEvent<E>, { readonly _tag: T }> => event._tag === tag)[
              nth - 1
            ]
          )
      })
    return { session: opened, model, events, until, end: Scope.close(scope, Exit.void) }
  })

/** A journal that stops taking records when it is told to, as that of a process does that is killed. */
export const mortal = Effect.gen(function* () {
  const journal = yield* SessionJournal.SessionJournal
  let isDead = false
  const service: SessionJournal.Service = {
    ...journal,
    open: (id) =>
      Effect.map(journal.open(id), (writer) => ({
        ...writer,
        append: (records) => (isDead ? Effect.void : writer.append(records)),
        replace: (records) => (isDead ? Effect.void : writer.replace(records))
      }))
  }
  return {
    service,
    kill: Effect.sync(() => {
      isDead = true
    })
  }
})

export const desk = Agent.make("Desk", { instructions: "Be brief." })
export const agentOf = <E, R>(...tools: ReadonlyArray<Tool.Tool<string, E, R>>) =>
  Agent.make("Desk", { instructions: "Be brief.", tools })

/** Runs a session until `crash`, kills it there, and takes it up again. */
export const crashed = <E, R>(
  agent: Agent.Agent<E, R>,
  turns: ReadonlyArray<ScriptedModel.Turn>,
  crash: (first: Effect.Effect.Success<ReturnType<typeof processOf<E, R>>>) => Effect.Effect<unknown, unknown>,
  then: ReadonlyArray<ScriptedModel.Turn>,
  resumed: Agent.Agent<E, R> = agent,
  options: Session.Options = {}
) =>
  Effect.gen(function* () {
    const { kill, service } = yield* mortal
    const first = yield* Effect.provideService(
      processOf(Session.make(agent, { settings, ...options }), turns),
      SessionJournal.SessionJournal,
      service
    )
    yield* crash(first)
    yield* kill
    yield* first.end
    const second = yield* processOf(Session.resume(resumed, first.session.id, { settings, ...options }), then)
    yield* Effect.addFinalizer(() => second.end)
    return { first, second }
  })

export const journals = SessionJournal.layerMemory

/** A journal that another process left. */
export const left = (records: ReadonlyArray<SessionJournal.JournalRecord>) =>
  Effect.gen(function* () {
    const journal = yield* SessionJournal.SessionJournal
    const opened = { _tag: "SessionOpened", sessionId: "s1", agent: "Desk", at: 0 } as const
    yield* Effect.scoped(Effect.flatMap(journal.open("s1"), (writer) => writer.append([opened, ...records])))
  })

export const said = (id: string, text: string) =>
  ({
    _tag: "ItemFinal",
    item: { _tag: "Message", id, role: "user", status: "completed", content: [{ _tag: "Text", text }] }
  }) satisfies SessionJournal.JournalRecord

/** A call of the agent `Desk`, as an item and as a call, and how far it came. */
export const called = (callId: string, tool: string, ...stages: ReadonlyArray<SessionJournal.CallStage>) => {
  const call = { _tag: "FunctionCall", id: `item_${callId}`, callId, name: tool, arguments: "{}" } as const
  const arrived = { itemId: call.id, responseId: "resp_1", agent: "Desk", tool, arguments: "{}" }
  return [
    { _tag: "ItemFinal", item: { ...call, status: "completed" } },
    { _tag: "CallTransition", callId, to: { _tag: "Arrived", ...arrived } },
    ...stages.map((to) => ({ _tag: "CallTransition", callId, to }) as const)
  ] satisfies ReadonlyArray<SessionJournal.JournalRecord>
}

export const answered = (callId: string, output: string) =>
  ({
    _tag: "ItemFinal",
    item: { _tag: "FunctionCallOutput", id: `out_${callId}`, callId, output }
  }) satisfies SessionJournal.JournalRecord
