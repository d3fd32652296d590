/** Nodes of one process, which share a directory and journals in memory, and may be cut off from them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as CallDirectory from "../../src/cluster/CallDirectory.js"
import * as CallHost from "../../src/cluster/CallHost.js"
import * as Calls from "../../src/cluster/Calls.js"
import { DirectoryFailed } from "../../src/cluster/ClusterError.js"
import { Door } from "../../src/cluster/Door.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as SessionJournal from "../../src/SessionJournal.js"

export const desk = Agent.make("Desk", { instructions: "Be brief." })

export const session = { settings: { output_modalities: ["text"] } } as const

type Directory = Context.Tag.Service<typeof CallDirectory.CallDirectory>

/** What happens to what a node asks of others: it gets no answer for ever, or an error at once. */
type Line = "up" | "silent" | "down"

/** Everything that a service does goes through `by`. */
const through = (
  directory: Directory,
  by: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | DirectoryFailed>
): Directory => ({
  join: (node, leaseMs) => by(directory.join(node, leaseMs)),
  renew: (node, leaseMs) => by(directory.renew(node, leaseMs)),
  leave: (nodeId) => by(directory.leave(nodeId)),
  nodes: Effect.suspend(() => by(directory.nodes)),
  insert: (call) => by(directory.insert(call)),
  find: (callId) => by(directory.find(callId)),
  held: (nodeId) => by(directory.held(nodeId)),
  claim: (claim, evict) => by(directory.claim(claim, evict)),
  change: (holding, state) => by(directory.change(holding, state)),
  give: (holding, toNodeId) => by(directory.give(holding, toNodeId)),
  forget: (olderThanMs) => by(directory.forget(olderThanMs))
})

/** The test clock waits for real when it is adjusted: so there are few steps. */
const step = TestClock.adjust("500 millis")

/** Lets this many seconds pass. */
export const pass = (seconds: number) => Effect.repeatN(step, seconds * 2 - 1)

/** Waits for an effect while time passes. */
export const meanwhile = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    for (let steps = 0; steps < 200 && fiber.unsafePoll() === null; steps += 1) yield* step
    return yield* Fiber.join(fiber)
  })

/** A cluster without nodes. `node` adds one. */
export const makeCluster = Effect.gen(function* () {
  const directory = yield* Effect.map(Layer.build(CallDirectory.layerMemory), Context.get(CallDirectory.CallDirectory))
  const journals = yield* Effect.map(
    Layer.build(SessionJournal.layerMemory),
    Context.get(SessionJournal.SessionJournal)
  )
  const doors = new Map<string, Pick<CallHost.Service, "carry">>()
  /** Commands that reached a node and whose answers are lost. */
  const deaf = new Set<string>()

  const send: Context.Tag.Service<typeof Door>["send"] = (group, envelope) =>
    Effect.suspend(() => {
      const host = doors.get(group)
      if (host === undefined) return Effect.never
      const carried = host.carry(envelope)
      return deaf.has(group) ? Effect.zipRight(Effect.exit(carried), Effect.never) : carried
    })
  const calls = yield* Calls.make({ within: "15 seconds" }).pipe(
    Effect.provideService(CallDirectory.CallDirectory, directory),
    Effect.provideService(Door, { send })
  )

  const node = <E = never, R = never>(
    port: number,
    {
      agent,
      options = {},
      turns = []
    }: {
      readonly agent: Agent.Agent<E, R>
      readonly options?: Omit<CallHost.HostOptions<E>, "address">
      readonly turns?: ReadonlyArray<ScriptedModel.Turn>
    }
  ) =>
    Effect.gen(function* () {
      let line: Line = "up"
      const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => {
        // Nothing is waited for at the end of a test.
        if (line === "silent") line = "down"
        return Scope.close(scope, Exit.void)
      })
      const model = yield* ScriptedModel.make(turns)
      let writes = true
      const own = through(directory, <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.suspend((): Effect.Effect<A, E | DirectoryFailed> => {
          if (line === "up") return effect
          return line === "silent" ? Effect.never : new DirectoryFailed({ operation: "answer", reason: "It is down." })
        })
      )
      const journal: SessionJournal.Service = {
        ...journals,
        open: (id) =>
          Effect.map(journals.open(id), (writer) => ({
            ...writer,
            append: (records) => (writes ? writer.append(records) : Effect.void),
            replace: (records) => (writes ? writer.replace(records) : Effect.void)
          }))
      }
      const host = yield* CallHost.make(agent, {
        session,
        ...options,
        address: { host: "127.0.0.1", port }
      }).pipe(
        Effect.provideService(RealtimeModel, model.model),
        Effect.provideService(SessionJournal.SessionJournal, journal),
        Effect.provideService(CallDirectory.CallDirectory, own),
        Effect.provideService(Door, { send }),
        Scope.extend(scope)
      )
      doors.set(host.node.group, host)
      return {
        host,
        model,
        /** Whether the directory answers this node. */
        line: (to: Line) =>
          Effect.sync(() => {
            line = to
          }),
        /** Commands are carried out, and nobody hears of it. */
        deafen: Effect.sync(() => deaf.add(host.node.group)),
        /** The process is gone: it asks and writes nothing more, and answers nobody. */
        kill: Effect.sync(() => {
          line = "silent"
          writes = false
          if (doors.get(host.node.group) === host) doors.delete(host.node.group)
        }),
        stop: Scope.close(scope, Exit.void)
      }
    })
  /** Somebody deletes the row of a call. */
  const forget = (callId: string) =>
    Effect.gen(function* () {
      const row = yield* directory.find(callId)
      if (row === undefined) return
      yield* directory.change(row, "ended")
      yield* TestClock.adjust("1 millis")
      yield* directory.forget(0)
    })
  return { directory, journals, calls, forget, node }
})
