import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Agent from "../Agent.js"
import type { ServerConnection } from "../embedded/ServerConnection.js"
import { silentVoice, type Voice } from "../embedded/Voice.js"
import { RealtimeModel, type Traits } from "../RealtimeModel.js"
import { completed } from "../realtimeModel/Traits.js"
import type * as Session from "../Session.js"
import type { SessionEvent } from "../SessionEvent.js"
import { defaults } from "../session/options.js"
import { Tap } from "../session/publishing/Tap.js"
import { begin } from "./beginning.js"
import * as Chaos from "./Chaos.js"
import type { ConnectionRecord, Moment, NewMoment, Observation, Scene } from "./Observation.js"
import type { Program } from "./Program.js"
import { performer } from "./performer.js"
import * as readers from "./readers.js"
import { type Cast, Stage } from "./Stage.js"
import * as Storage from "./storage.js"
import * as VirtualTime from "./VirtualTime.js"

/** How often to wait for the end of what is in progress: more than half an hour in all. */
const maxRounds = 32
/** Longer than a session waits for a silent server, and for a user who does not stop speaking. Milliseconds. */
const roundMs = 65_000

/** Longer than a session may take to begin with the default options. Milliseconds. */
const beginsWithinMs = 60_000
const neverBegan = `The session did not begin within ${beginsWithinMs / 1_000} seconds of virtual time.`

/** Calls that wait for a decision, for their handler, or for the deferred result. */
const openCalls = (timeline: ReadonlyArray<Moment>): number => {
  const open = new Set<string>()
  const hosted = new Set<string>()
  for (const moment of timeline) {
    if (moment._tag !== "Published") continue
    const { event } = moment
    if (event._tag === "ToolStarted" || event._tag === "ToolApprovalRequested") open.add(event.call.callId)
    if (event._tag === "ToolSucceeded" || event._tag === "ToolFailed" || event._tag === "ToolApproved") {
      open.delete(event.call.callId)
    }
    if (event._tag === "McpProgressed" && event.what === "Call") {
      if (event.state === "InProgress") hosted.add(event.itemId)
      else hosted.delete(event.itemId)
    }
    if (event._tag === "ConnectionLost") hosted.clear()
  }
  return open.size + hosted.size
}

const userAudioOf = (connection: ServerConnection): Effect.Effect<ReadonlyMap<string, string>> =>
  Effect.gen(function* () {
    const heard = new Map<string, string>()
    for (const { id } of yield* connection.conversation) {
      const audio = yield* connection.userAudio(id, 0)
      if (audio !== undefined) heard.set(id, audio)
    }
    return heard
  })

const recordOf = (connection: ServerConnection): Effect.Effect<ConnectionRecord> =>
  Effect.all({
    number: Effect.succeed(connection.number),
    conversation: connection.conversation,
    userAudio: userAudioOf(connection),
    outputs: connection.outputs,
    refused: connection.refused
  })

/** A model whose connections record what is sent on them, at that moment. */
const recorded = (
  server: Cast,
  sent: (connection: number, event: Parameters<Session.Session["send"]>[0]) => void
): typeof RealtimeModel.Service => ({
  connect: (options) =>
    Effect.gen(function* () {
      const connection = yield* server.model.connect(options)
      const number = (yield* server.connections).at(-1)?.number ?? 0
      return {
        ...connection,
        get traits() {
          return connection.traits ?? {}
        },
        send: (event) => Effect.tap(connection.send(event), () => Effect.sync(() => sent(number, event)))
      }
    })
})

/** Pieces of audio that all differ: each begins with its number. */
const numbered = (voice: Voice): Voice => {
  let pieces = 0
  return {
    speak: (sentence, options) =>
      Stream.map(voice.speak(sentence, options), (piece) => {
        pieces += 1
        new DataView(piece.audio.buffer, piece.audio.byteOffset).setUint16(0, pieces)
        return piece
      })
  }
}

/** Called when something may have happened, with the timeline. Returns whether that is enough. */
export type Look<E, R> = (timeline: ReadonlyArray<Moment<E>>) => Effect.Effect<"go on" | "stop", never, R>

export const sceneOf = (
  agent: Agent.Any,
  program: Program,
  options: Session.Options,
  traits: Traits | undefined
): Scene => {
  const agents = Agent.reachable(agent)
  return {
    program,
    traits: completed(traits),
    retryWithinMs: Duration.toMillis(options.retryWithin ?? defaults.retryWithin),
    parallelReply: options.parallelReply ?? defaults.parallelReply,
    hostedImportTimeoutMs: Duration.toMillis(options.hostedImportTimeout ?? defaults.hostedImportTimeout),
    policyOf: (name, tool) => agents.find((one) => one.name === name)?.tools.find((one) => one.name === tool)?.policy
  }
}

const transcription = { model: "whisper-1" }

/** Some responses, and some connections, are over by then. */
const lateTranscript = "4 seconds"

/** Small enough for a reader that pauses to miss some. */
const smallAudioCapacity = 4

/**
 * Runs a program from the session's start to its end, or until `look` has seen enough. A session that cannot begin is a
 * defect of the program.
 */
export const run = <E, R, R2 = never>(
  agent: Agent.Agent<E, R>,
  program: Program,
  time: VirtualTime.VirtualTime,
  options: Session.Options,
  look: Look<E, R2> = () => Effect.succeed("go on")
): Effect.Effect<Observation<E>, never, R | R2> =>
  Effect.gen(function* () {
    const timeline: Array<Moment<E>> = []
    const defects: Array<string> = []
    const now = () => time.now() - VirtualTime.beginning
    let isSeen = false
    const note = (moment: NewMoment<E>): void => {
      if (!isSeen) timeline.push({ atMs: now(), ...moment })
    }
    let carrier = 1
    const labels = Agent.reachable(agent).flatMap(({ hostedTools }) => hostedTools.map(({ label }) => label))
    const chaos = Chaos.make(program, now, labels[0])
    const stage = yield* Stage
    const server = yield* stage.make(
      {
        mind: chaos.mind,
        voice: numbered(silentVoice()),
        transcribe: ({ index }) => ({
          text: `What was said ${index}.`,
          ...(program.transcribes === "late" ? { delay: lateTranscript } : {})
        }),
        faults: [chaos.fault],
        mcpServers: Object.fromEntries(
          labels.map((label) => [label, { ...program.imports, takes: program.imports.ms }])
        ),
        observe: (activity) => {
          const { connection } = activity
          if (activity._tag === "Sent") note({ _tag: "Answered", connection, event: activity.event })
          else if (activity._tag === "Ended") note({ _tag: "Disconnected", connection, ending: activity.ending })
        }
      },
      program,
      time.pass
    )
    const journal = Storage.make({
      weather: chaos.weather,
      written: (records, place) => note({ _tag: "Written", records, place })
    })
    const beginning = yield* begin(agent, program, journal, {
      ...options,
      ...(program.listens === "in bursts" ? { audioCapacity: smallAudioCapacity } : {}),
      rolloverAfter: program.rolloverAfterMs,
      settings: {
        ...options.settings,
        output_modalities: [program.modality],
        tool_choice: program.toolChoice,
        ...(program.transcribes === "never"
          ? {}
          : { audio: { ...options.settings?.audio, input: { ...options.settings?.audio?.input, transcription } } })
      }
    }).pipe(
      Effect.provideService(
        RealtimeModel,
        recorded(server, (connection, event) => {
          carrier = connection
          note({ _tag: "Sent", connection, event })
        })
      ),
      Effect.provideService(Tap, {
        // The tap has no types: this session publishes events of its agent.
        published: (event) => note({ _tag: "Published", event: event as SessionEvent<E> }),
        played: (chunk) => note({ _tag: "Played", chunk })
      }),
      Effect.fork
    )
    yield* time.settle
    for (let waited = 0; waited < beginsWithinMs && beginning.unsafePoll() === null; waited += 1_000) {
      yield* time.pass(1_000)
    }
    const recordsOfAll = Effect.flatMap(server.connections, (connections) => Effect.forEach(connections, recordOf))
    const begun = beginning.unsafePoll()
    if (begun === null || Exit.isFailure(begun)) {
      yield* Fiber.interruptFork(beginning)
      defects.push(begun === null ? neverBegan : `The session could not begin: ${Cause.pretty(begun.cause)}`)
      const nothing = { exit: undefined, survived: false, openStreams: [] }
      return {
        ...sceneOf(agent, program, options, stage.traits),
        timeline,
        connections: yield* recordsOfAll,
        ...nothing,
        defects
      }
    }
    const session = begun.value
    const reading = yield* readers.make(session, program, note)
    let end: Exit.Exit<void, Effect.Effect.Error<typeof session.await>> | undefined
    yield* Effect.forkScoped(
      Effect.map(Effect.exit(session.await), (exit) => {
        end = exit
      })
    )
    const { act, command, decide } = performer({
      session,
      server,
      carrier: () => carrier,
      chaos,
      time,
      reading,
      note,
      defects
    })

    /** Records the conversation on both sides, if nothing is in transit between them. */
    const compare = Effect.gen(function* () {
      const connection = (yield* server.connections).find(({ number }) => number === carrier)
      if (end !== undefined || connection === undefined || chaos.isHolding()) return
      const conversation = yield* connection.conversation
      note({ _tag: "AtRest", connection: carrier, mirror: yield* session.conversation, conversation })
    })

    const steps = Effect.gen(function* () {
      for (const [index, { action, thenRuns }] of program.steps.entries()) {
        note({ _tag: "Step", index })
        yield* act(action)
        yield* thenRuns === "all" ? Effect.zipRight(time.settle, compare) : time.run(thenRuns)
        if ((yield* look(timeline)) === "stop") return "stopped"
      }
      chaos.disarm()
      reading.hurry()
      note({ _tag: "LeftAlone" })
      for (let round = 0; round < maxRounds && end === undefined; round += 1) {
        yield* decide(true, false)
        const before = timeline.length
        yield* time.pass(roundMs)
        yield* compare
        if ((yield* look(timeline)) === "stop") return "stopped"
        // Whatever is in progress, one side sends something about it within a round.
        const isQuiet = !timeline.slice(before).some(({ _tag }) => _tag === "Answered" || _tag === "Sent")
        if (isQuiet && openCalls(timeline) === 0) break
      }
      return "done"
    })

    const outcome = yield* Effect.catchAllCause(steps, (cause) =>
      Effect.sync(() => {
        defects.push(Cause.pretty(cause))
        return "done"
      })
    )
    const survived = end === undefined
    // Enough was seen, but the rest takes its time all the same.
    isSeen = outcome === "stopped"
    yield* command(session.close)
    yield* time.pass(10_000)
    return {
      ...sceneOf(agent, program, options, stage.traits),
      timeline,
      connections: yield* recordsOfAll,
      exit: end,
      survived,
      openStreams: reading.open(),
      defects
    }
  }).pipe(
    Effect.scoped,
    Effect.withClock(time.clock),
    // The ids of a session and the delays of its attempts are the same each time.
    Effect.withRandom(Random.make("effect-realtime"))
  )
