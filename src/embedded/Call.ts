/** A call that the server carries, as over WebRTC or SIP. Its session outlives the connections that stand beside it. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import type * as Scope from "effect/Scope"
import type { Memory } from "./Budget.js"
import { read } from "./ClientFrames.js"
import type { McpServer } from "./McpImports.js"
import type { Emit } from "./Outgoing.js"
import type { Ending } from "./ServerConnection.js"
import type { ServerItem } from "./ServerItem.js"
import type { Manners } from "./ServerResponses.js"
import { ServerSession } from "./ServerSession.js"
import { type JsonObject, type Refusal, refusal } from "./Shape.js"
import type { Transcribe } from "./Transcription.js"
import type { TurnDetection } from "./TurnDetection.js"

/**
 * How a call ended. `HungUp`: by the user on the line, by the application over HTTP, or by the server, which shuts down
 * or whose maximum duration is over.
 *
 * @since 0.1.0
 * @category calls
 */
export type CallEnding =
  | { readonly _tag: "HungUp"; readonly by: "user" | "application" | "server" }
  | { readonly _tag: "Rejected"; readonly statusCode: number }
  | { readonly _tag: "Referred"; readonly targetUri: string }

/**
 * A call on the embedded server: what its user does, and what became of it.
 *
 * @since 0.1.0
 * @category calls
 */
export interface EmbeddedCall {
  /** Such as `rtc_1`. */
  readonly id: string
  /** Whether it waits for `accept`, has a session, or is over. */
  readonly state: Effect.Effect<"Ringing" | "Live" | "Over">
  /** Waits until the call is accepted. Never returns if it is rejected. */
  readonly accepted: Effect.Effect<void>
  /** The effective session. Empty while the call rings. */
  readonly session: Effect.Effect<JsonObject>
  readonly conversation: Effect.Effect<ReadonlyArray<ServerItem>>
  /** The accepted outputs, in order. A call of a tool that was answered twice appears twice. */
  readonly outputs: Effect.Effect<ReadonlyArray<{ readonly callId: string; readonly output: string }>>
  /** The user begins to speak. Returns the id of the item to come. */
  readonly speechStarts: Effect.Effect<string>
  /** The user ends: the item is committed, and a response begins if the session wants one. */
  readonly speechEnds: (itemId: string, transcript: string) => Effect.Effect<void>
  /** A whole turn of the user: `speechStarts`, then `speechEnds`. */
  readonly userSays: (transcript: string) => Effect.Effect<void>
  /** The user presses a key of the telephone: `input_audio_buffer.dtmf_event_received`, which has no event id. */
  readonly pressKey: (key: string) => Effect.Effect<void>
  /** The user hangs up: each connection beside the call is closed, with code 1000. */
  readonly hangUp: Effect.Effect<void>
  /** Waits for the end of the call. */
  readonly ended: Effect.Effect<CallEnding>
}

/** A connection beside a call. */
export interface Neighbour {
  readonly emit: Emit
  readonly emitText: (text: string) => void
  /** Decides whether and when a response to a turn begins. */
  readonly respond: (begin: () => void) => void
  readonly leave: (ending: Ending) => void
}

/** What all sessions of a server have in common. */
export interface Ways {
  readonly manners: Manners
  readonly turnDetection: TurnDetection
  readonly transcribe: Transcribe | undefined
  readonly mcpServers: { readonly [label: string]: McpServer }
  readonly maxDuration: Duration.Duration
  readonly memory: Memory
}

export interface CallOptions extends Ways {
  readonly number: number
  readonly model: string
  readonly isRinging: boolean
}

/** Fields of turn detection that the real API does not take when a call is accepted. */
const notAtAccept = ["threshold", "prefix_padding_ms", "silence_duration_ms"]

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (found, key) => (typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined),
    value
  )

/** What is wrong with the session of a call that is being made or accepted, if anything. */
const refuseSession = (session: JsonObject, isRinging: boolean): Refusal | undefined => {
  if (session["type"] === undefined) {
    return refusal("missing_required_parameter", "Missing required parameter: 'session.type'.", "session.type")
  }
  const frame = read(JSON.stringify({ type: "session.update", session }))
  if (frame._tag === "Refused") return frame.refusal
  const detection = at(session, "audio", "input", "turn_detection")
  const wrong = isRinging ? notAtAccept.find((name) => at(detection, name) !== undefined) : undefined
  if (wrong === undefined) return undefined
  const param = `session.audio.input.turn_detection.${wrong}`
  return refusal("unknown_parameter", `Unknown parameter: '${param}'.`, param)
}

export class Call {
  readonly id: string
  readonly #options: CallOptions
  readonly #fork: ServerSession["options"]["fork"]
  readonly #now: () => number
  readonly #accepted: Deferred.Deferred<void>
  readonly #ended: Deferred.Deferred<CallEnding>
  readonly #neighbours = new Set<Neighbour>()
  #session: ServerSession | undefined
  #isOver = false

  constructor(
    options: CallOptions,
    fork: ServerSession["options"]["fork"],
    now: () => number,
    accepted: Deferred.Deferred<void>,
    ended: Deferred.Deferred<CallEnding>
  ) {
    this.id = `rtc_${options.number}`
    this.#options = options
    this.#fork = fork
    this.#now = now
    this.#accepted = accepted
    this.#ended = ended
  }

  get state(): "Ringing" | "Live" | "Over" {
    return this.#isOver ? "Over" : this.#session === undefined ? "Ringing" : "Live"
  }

  /** The session, once the call is accepted. */
  get session(): ServerSession | undefined {
    return this.#session
  }

  /** Gives the call its session, or returns why not. */
  begin(settings: JsonObject): Refusal | undefined {
    const problem = refuseSession(settings, this.#options.isRinging)
    if (problem !== undefined) return problem
    const { manners, maxDuration, mcpServers, memory, model, transcribe, turnDetection } = this.#options
    const asked = settings["model"]
    const session: ServerSession = new ServerSession({
      of: this.id,
      model: typeof asked === "string" ? asked : model,
      now: this.#now(),
      maxDuration,
      manners,
      turnDetection,
      transcribe,
      mcpServers,
      userAudio: memory.userAudio,
      conversation: undefined,
      carried: this.#now,
      emit: (event) => {
        for (const { emit } of this.#neighbours) emit(event)
      },
      fork: this.#fork,
      respond: (begin) => {
        const latest = [...this.#neighbours].at(-1)
        if (latest === undefined) begin()
        else latest.respond(begin)
      },
      close: () => this.end({ _tag: "HungUp", by: "server" })
    })
    const refused = session.configure(settings)
    if (refused !== undefined) return refused
    this.#session = session
    session.start()
    session.readLists()
    Deferred.unsafeDone(this.#accepted, Effect.void)
    return undefined
  }

  /** A connection stands beside the call from now on. Returns what ends that. */
  join(neighbour: Neighbour): () => void {
    this.#neighbours.add(neighbour)
    return () => this.#neighbours.delete(neighbour)
  }

  end(ending: CallEnding): void {
    if (this.#isOver) return
    this.#isOver = true
    const { conversations } = this.#options.memory
    const session = this.#session
    session?.shutdown()
    if (session !== undefined) {
      conversations.add({ forgetOldest: () => session.conversation.forget() }, session.conversation.length)
    }
    for (const { leave } of [...this.#neighbours]) leave({ _tag: "ClosedByServer", code: 1000, reason: "" })
    Deferred.unsafeDone(this.#ended, Effect.succeed(ending))
  }

  get view(): EmbeddedCall {
    const withSession = <A>(use: (session: ServerSession) => A): Effect.Effect<A> =>
      Effect.suspend(() => {
        const session = this.#session
        return session === undefined || this.#isOver
          ? Effect.dieMessage(`The call ${this.id} is ${this.state === "Over" ? "over" : "not accepted yet"}.`)
          : Effect.sync(() => use(session))
      })
    const speechStarts = withSession((session) => session.turns.startSpeech())
    const speechEnds = (itemId: string, transcript: string) =>
      withSession((session) => session.turns.endSpeech(itemId, transcript))
    return {
      id: this.id,
      state: Effect.sync(() => this.state),
      accepted: Deferred.await(this.#accepted),
      session: Effect.sync(() => this.#session?.settings ?? {}),
      conversation: Effect.sync(() => this.#session?.conversation.snapshot() ?? []),
      outputs: Effect.sync(() => [...(this.#session?.conversation.outputs ?? [])]),
      speechStarts,
      speechEnds,
      userSays: (transcript) => Effect.flatMap(speechStarts, (itemId) => speechEnds(itemId, transcript)),
      pressKey: (key) =>
        withSession(() => {
          const event = keyPressed(key, this.#now())
          for (const { emitText } of this.#neighbours) emitText(event)
        }),
      hangUp: Effect.sync(() => this.end({ _tag: "HungUp", by: "user" })),
      ended: Deferred.await(this.#ended)
    }
  }
}

/** The event for a key of the telephone, which has no event id. */
export const keyPressed = (key: string, nowMs: number): string =>
  JSON.stringify({
    type: "input_audio_buffer.dtmf_event_received",
    event: key,
    received_at: Math.floor(nowMs / 1_000)
  })

/** A call that lives at most as long as the scope. Its time is that of the clock here. */
export const make = (options: CallOptions): Effect.Effect<Call, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = yield* FiberSet.makeRuntime<never, void>()
    const clock = yield* Clock.clockWith(Effect.succeed)
    const call = new Call(
      options,
      fork,
      () => clock.unsafeCurrentTimeMillis(),
      yield* Deferred.make<void>(),
      yield* Deferred.make<CallEnding>()
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => call.end({ _tag: "HungUp", by: "server" })))
    return call
  })
