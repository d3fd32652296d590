import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Agent from "../Agent.js"
import * as EmbeddedRealtime from "../EmbeddedRealtime.js"
import type { ServerConnection } from "../embedded/ServerConnection.js"
import { silentVoice } from "../embedded/Voice.js"
import { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import type { SessionEvent } from "../SessionEvent.js"
import { Tap } from "../session/publishing/Tap.js"
import * as Chaos from "./Chaos.js"
import type { ConnectionRecord, Moment, Observation } from "./Observation.js"
import type { Action, Program } from "./Program.js"
import { beginning, type VirtualTime } from "./VirtualTime.js"

/** Rounds of waiting for the end of what is under way: more than half an hour in all. */
const maxRounds = 60
/** Longer than the server may be silent within a response. Milliseconds. */
const roundMs = 35_000

/** While such things happen, more is to come. */
const signsOfLife: ReadonlySet<SessionEvent["_tag"]> = new Set([
  "ConnectionLost",
  "HandedOff",
  "Reconnecting",
  "ResponseDone",
  "ResponseStalled",
  "ResponseStarted",
  "ToolApprovalRequested",
  "ToolDeferred",
  "ToolFailed",
  "ToolStarted",
  "ToolSucceeded"
] as const)

/** Calls that wait for a decision, for their handler, or for the deferred result. */
const openCalls = (timeline: ReadonlyArray<Moment>): number => {
  const open = new Set<string>()
  for (const moment of timeline) {
    if (moment._tag !== "Published") continue
    const { event } = moment
    if (event._tag === "ToolStarted" || event._tag === "ToolApprovalRequested") open.add(event.call.callId)
    if (event._tag === "ToolSucceeded" || event._tag === "ToolFailed") open.delete(event.call.callId)
  }
  return open.size
}

const recordOf = (connection: ServerConnection): Effect.Effect<ConnectionRecord> =>
  Effect.all({
    number: Effect.succeed(connection.number),
    conversation: connection.conversation,
    outputs: connection.outputs,
    refused: connection.refused
  })

/** A model whose connections write down what is sent on them, in the moment in which it is. */
const recorded = (
  server: EmbeddedRealtime.Embedded,
  sent: (connection: number, event: Parameters<Session.Session["send"]>[0]) => void
): typeof RealtimeModel.Service => ({
  connect: (options) =>
    Effect.gen(function* () {
      const connection = yield* server.model.connect(options)
      const number = (yield* server.connections).at(-1)?.number ?? 0
      return {
        frames: connection.frames,
        bufferedBytes: connection.bufferedBytes,
        send: (event) => Effect.tap(connection.send(event), () => Effect.sync(() => sent(number, event)))
      }
    })
})

/** Runs a program from the session's start to its end. Where this dies, the session could not even begin. */
export const run = <E, R>(
  agent: Agent.Agent<E, R>,
  program: Program,
  time: VirtualTime,
  options: Session.Options
): Effect.Effect<Observation<E>, never, R> =>
  Effect.gen(function* () {
    const timeline: Array<Moment<E>> = []
    const defects: Array<string> = []
    const atMs = () => time.now() - beginning
    const chaos = Chaos.make(program)
    const server = yield* EmbeddedRealtime.make({
      mind: chaos.mind,
      voice: silentVoice(),
      faults: [chaos.fault],
      observe: (activity) => {
        const { connection } = activity
        if (activity._tag === "Sent") {
          timeline.push({ atMs: atMs(), _tag: "Answered", connection, event: activity.event })
        } else if (activity._tag === "Ended") {
          timeline.push({ atMs: atMs(), _tag: "Disconnected", connection, ending: activity.ending })
        }
      }
    })
    const model = recorded(server, (connection, event) =>
      timeline.push({ atMs: atMs(), _tag: "Sent", connection, event })
    )
    const session = yield* Session.make(agent, {
      ...options,
      rolloverAfter: program.rolloverAfterMs,
      settings: { ...options.settings, output_modalities: [program.modality] }
    }).pipe(
      Effect.provideService(RealtimeModel, model),
      // The tap knows no types: what this session publishes is of its agent.
      Effect.provideService(Tap, (event) => {
        timeline.push({ atMs: atMs(), _tag: "Published", event: event as SessionEvent<E> })
      }),
      Effect.orDie
    )

    const readers = {
      events: yield* Effect.forkScoped(Stream.runDrain(session.events)),
      errors: yield* Effect.forkScoped(Stream.runDrain(session.errors)),
      audio: yield* Effect.forkScoped(Stream.runDrain(session.audio))
    }
    let end: Exit.Exit<void, Effect.Effect.Error<typeof session.await>> | undefined
    yield* Effect.forkScoped(
      Effect.map(Effect.exit(session.await), (exit) => {
        end = exit
      })
    )

    /** Nobody waits for the answer of a command. */
    const command = (effect: Effect.Effect<unknown, unknown>) =>
      Effect.forkScoped(
        Effect.catchAllCause(effect, (cause) =>
          Effect.sync(() => {
            if (!Cause.isInterruptedOnly(cause) && Cause.failureOption(cause)._tag === "None") {
              defects.push(Cause.pretty(cause))
            }
          })
        )
      )

    const decide = (approves: boolean, always: boolean) =>
      Effect.flatMap(session.pendingApprovals, (pending) =>
        Effect.forEach(pending, ({ call }) =>
          command(approves ? session.approve(call.callId, { always }) : session.reject(call.callId, "No.", { always }))
        )
      )

    const act = (action: Action) =>
      Effect.gen(function* () {
        if (chaos.arm(action)) return
        const connection = yield* server.connection
        switch (action._tag) {
          case "UserWrites":
            return yield* command(session.sendText(action.text))
          case "UserSpeaks": {
            const itemId = yield* connection.speechStarts
            if (action.forMs > 0) yield* time.pass(action.forMs)
            return yield* connection.speechEnds(itemId, action.transcript)
          }
          case "SendsAudio":
            for (let chunk = 0; chunk < action.chunks; chunk += 1) {
              yield* command(session.sendAudio(new Uint8Array(action.bytes)))
            }
            return action.commits ? yield* command(session.commitAudio) : undefined
          case "ClearsAudio":
            return yield* command(session.clearAudio)
          case "Interrupts":
            return yield* command(session.interrupt)
          case "Waits":
            return yield* time.pass(action.ms)
          case "Decides":
            return yield* decide(action.approves, action.always)
          case "AsksForResponse":
            return yield* command(session.requestResponse(action.params))
          case "UpdatesAgent":
            return yield* command(session.updateAgent(action.name))
          case "UpdatesConfig":
            return yield* command(session.updateConfig({ max_output_tokens: action.maxOutputTokens }))
          case "SubscribesAndNeverReads":
            return yield* Effect.forkScoped(Stream.runForEach(session.events, () => Effect.never))
          case "Closes":
            return yield* command(session.close)
          case "ServerSends":
            return yield* connection.pushText(action.frame)
          case "ConnectionDrops":
            return yield* connection.drop
          case "ConnectionCloses":
            return yield* connection.close(action.code)
          case "SessionExpires":
            yield* connection.pushText(
              JSON.stringify({
                type: "error",
                event_id: "event_expired",
                error: { type: "invalid_request_error", code: "session_expired", message: "It was long enough." }
              })
            )
            return yield* connection.close(1001)
          default:
            return undefined
        }
      })

    const perform = Effect.gen(function* () {
      for (const [index, { action, thenRuns }] of program.steps.entries()) {
        timeline.push({ atMs: atMs(), _tag: "Step", index })
        yield* act(action)
        yield* thenRuns === "all" ? time.settle : time.run(thenRuns)
      }
      chaos.disarm()
      timeline.push({ atMs: atMs(), _tag: "LeftAlone" })
      for (let round = 0; round < maxRounds && end === undefined; round += 1) {
        yield* decide(true, false)
        const before = timeline.length
        yield* time.pass(roundMs)
        const isQuiet = !timeline
          .slice(before)
          .some((moment) => moment._tag === "Published" && signsOfLife.has(moment.event._tag))
        if (isQuiet && openCalls(timeline) === 0) break
      }
    })

    yield* Effect.catchAllCause(perform, (cause) => Effect.sync(() => defects.push(Cause.pretty(cause))))
    const survived = end === undefined
    yield* command(session.close)
    yield* time.pass(10_000)
    const openStreams = (["events", "errors", "audio"] as const).filter((name) => readers[name].unsafePoll() === null)
    for (const reader of Object.values(readers)) yield* Fiber.interruptFork(reader)
    const agents = Agent.reachable(agent)
    return {
      program,
      timeline,
      connections: yield* Effect.flatMap(server.connections, (connections) => Effect.forEach(connections, recordOf)),
      exit: end,
      survived,
      openStreams,
      defects,
      policyOf: (name: string, tool: string) =>
        agents.find((one) => one.name === name)?.tools.find((one) => one.name === tool)?.policy
    }
  }).pipe(
    Effect.scoped,
    Effect.withClock(time.clock),
    // The ids of a session and the delays of its attempts are the same each time.
    Effect.withRandom(Random.make("effect-realtime"))
  )
