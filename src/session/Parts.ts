import type * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Agent } from "../Agent.js"
import { steadyClock } from "../common/steadyClock.js"
import type { Host, Imports } from "../hostedMcp/HostedImports.js"
import { ConversationMirror } from "../machine/Conversation.js"
import { Asking } from "./Asking.js"
import { Answers } from "./answers/Answers.js"
import { Approvals } from "./calls/Approvals.js"
import { Calls } from "./calls/Calls.js"
import { HostedCalls } from "./calls/HostedCalls.js"
import { type Connect, Connections } from "./connection/Connections.js"
import { Continuity } from "./connection/Continuity.js"
import { InputAudio } from "./connection/InputAudio.js"
import { Outbox } from "./connection/Outbox.js"
import { Retelling } from "./connection/Retelling.js"
import { Cuts } from "./conversation/Cuts.js"
import { Edits } from "./conversation/Edits.js"
import { Hearing } from "./conversation/Hearing.js"
import { Transcripts } from "./conversation/Transcripts.js"
import { TurnAudio } from "./conversation/TurnAudio.js"
import { Guardrails } from "./guardrails/Guardrails.js"
import { Inbox } from "./Inbox.js"
import type { Resolved } from "./options.js"
import * as Live from "./publishing/Live.js"
import { type Listeners, Publisher } from "./publishing/Publisher.js"
import type { Tap } from "./publishing/Tap.js"
import { Recorder, type Writing } from "./Recorder.js"
import { Responses } from "./Responses.js"
import { Speech } from "./Speech.js"
import { Configuration } from "./settings/Configuration.js"
import { Team } from "./team/Team.js"
import type { Labels } from "./telemetry/Instrument.js"
import type { Tracing } from "./telemetry/Spans.js"
import { Telemetry } from "./telemetry/Telemetry.js"

/** What a session starts with. */
export interface Beginning<out E, out R> {
  readonly sessionId: string
  readonly newId: (prefix: string) => string
  /** The agent, with every agent that the conversation can reach. */
  readonly agent: Agent<E, R>
  /** The agent that has the conversation first. */
  readonly beginner: Agent<E, R>
  /** The names of the agents whose calls another process left open. */
  readonly owners: ReadonlyArray<string>
  readonly writing: Writing | undefined
  /** Why there is no journal, if there should be one. */
  readonly unwritten: string | undefined
}

/** What a session gets from its environment. */
export interface Surroundings<E> {
  readonly connect: Connect
  readonly scope: Scope.Scope
  readonly clock: Clock.Clock
  /** Absent if nobody traces. */
  readonly tracing: Tracing | undefined
  readonly metricLabels: Labels
  readonly listeners: Listeners<E>
  readonly tap: Context.Tag.Service<typeof Tap>
}

/**
 * The parts of a session. Each part has one machine or one concern, and is given this object, through which it finds
 * the other parts. A frame goes from `route` to its part, and from there to other parts by name. Everything is
 * synchronous, and runs in the loop.
 *
 * A part must not use other parts in its constructor. Parts that not every session needs are made on first use.
 */
export class Parts<out E = unknown, out R = unknown> {
  /** A clock that never goes back. */
  readonly clock: Clock.Clock
  readonly inbox = new Inbox<E>()
  readonly live = new Live.Source()
  readonly publisher: Publisher<E>
  readonly outbox: Outbox<E, R>
  readonly asking: Asking
  readonly answers: Answers<E>
  readonly telemetry: Telemetry
  readonly recorder: Recorder
  readonly connections: Connections
  readonly continuity: Continuity<E, R>
  readonly retelling: Retelling
  readonly team: Team<E, R>
  readonly configuration: Configuration
  readonly conversation: ConversationMirror
  readonly edits: Edits
  readonly responses: Responses
  readonly calls: Calls<E, R>
  readonly approvals: Approvals
  readonly cuts: Cuts
  /** Made by the first hosted server of an agent: other sessions need no such part. */
  hostedImports: Imports | undefined
  #hostedCalls: HostedCalls | undefined
  #speech: Speech | undefined
  #hearing: Hearing | undefined
  #guardrails: Guardrails<E, R> | undefined
  #inputAudio: InputAudio | undefined
  #turnAudio: TurnAudio | undefined
  #transcripts: Transcripts | undefined
  #isClosed = false

  constructor(
    readonly beginning: Beginning<E, R>,
    readonly options: Resolved<E>,
    private readonly surroundings: Surroundings<E>
  ) {
    const { clock, connect, listeners, metricLabels, scope, tap, tracing } = surroundings
    this.clock = steadyClock(clock)
    this.telemetry = new Telemetry(this, clock, tracing, metricLabels)
    this.publisher = new Publisher<E>(options, listeners, tap, this.telemetry)
    this.outbox = new Outbox(this)
    this.asking = new Asking(this)
    this.answers = new Answers(this)
    this.recorder = new Recorder(this)
    this.connections = new Connections(this, connect, scope)
    this.continuity = new Continuity(this)
    this.retelling = new Retelling(this)
    this.team = new Team(this)
    this.configuration = new Configuration(this)
    this.conversation = new ConversationMirror(options.keptAudioBytes)
    this.edits = new Edits(this)
    this.responses = new Responses(this)
    this.calls = new Calls(this)
    this.approvals = new Approvals(this)
    this.cuts = new Cuts(this)
  }

  /** What `hostedImports` is given: it knows no session. */
  get hostOfImports(): Host {
    return {
      now: () => this.now(),
      timeout: this.options.hostedImportTimeout,
      failed: (server, by) => this.outbox.publish({ _tag: "HostedImportFailed", agent: this.agent, server, by }),
      settled: () => this.responses.released()
    }
  }

  get hostedCalls(): HostedCalls {
    this.#hostedCalls ??= new HostedCalls(this)
    return this.#hostedCalls
  }

  get speech(): Speech {
    this.#speech ??= new Speech(this)
    return this.#speech
  }

  get hearing(): Hearing {
    this.#hearing ??= new Hearing(this)
    return this.#hearing
  }

  get guardrails(): Guardrails<E, R> {
    this.#guardrails ??= new Guardrails(this)
    return this.#guardrails
  }

  get inputAudio(): InputAudio {
    this.#inputAudio ??= new InputAudio(this)
    return this.#inputAudio
  }

  get turnAudio(): TurnAudio {
    this.#turnAudio ??= new TurnAudio(this)
    return this.#turnAudio
  }

  get transcripts(): Transcripts {
    this.#transcripts ??= new Transcripts(this)
    return this.#transcripts
  }

  get id(): string {
    return this.beginning.sessionId
  }

  /** Returns a new unique id with this prefix. */
  get newId(): (prefix: string) => string {
    return this.beginning.newId
  }

  /** Milliseconds, on a clock that never goes back. */
  now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  /** Milliseconds since 1970, for timestamps. */
  timeOfDay(): number {
    return this.surroundings.clock.unsafeCurrentTimeMillis()
  }

  /** The name of the agent that has the conversation. */
  get agent(): string {
    return this.team.current.agent.name
  }

  /** Whether events are sent at once. */
  isOnline(): boolean {
    return this.connections.current !== undefined
  }

  /** Whether the model has spoken any audio. */
  hasSpoken(): boolean {
    return this.#speech?.hasSpoken() === true
  }

  /** After the end, nothing more is sent. */
  isEnded(): boolean {
    return this.#isClosed || this.outbox.ended !== undefined
  }

  /** Whether nothing in progress would suffer from a change of the connection. */
  isQuiet(): boolean {
    return (
      this.responses.isIdle() &&
      this.configuration.isSettled() &&
      this.edits.isEmpty() &&
      this.#inputAudio?.isIdle() !== false &&
      this.#transcripts?.isIdle() !== false &&
      this.#speech?.isPlaying() !== true &&
      this.#hostedCalls?.isIdle() !== false
    )
  }

  /** The earliest time at which a part must run again. */
  deadline(): number | undefined {
    return earliest(
      this.responses.deadline(),
      this.calls.deadline(),
      this.#hostedCalls?.deadline(),
      this.hostedImports?.deadline(),
      this.edits.deadline(),
      this.#inputAudio?.deadline(),
      this.#transcripts?.deadline(),
      this.#hearing?.deadline(),
      this.connections.deadline()
    )
  }

  timePassed(): void {
    this.responses.timePassed()
    this.calls.timePassed()
    this.#hostedCalls?.timePassed()
    this.hostedImports?.timePassed()
    this.edits.timePassed()
    this.#inputAudio?.timePassed()
    this.#transcripts?.timePassed()
    this.#hearing?.timePassed()
    this.connections.timePassed()
  }

  /** Ends the session. Returns effects that stop what is still running. */
  close(): ReadonlyArray<Effect.Effect<void>> {
    this.#isClosed = true
    this.#hostedCalls?.close()
    return [this.#guardrails?.close() ?? [], this.calls.close(), this.connections.close()].flat()
  }

  /** Writes down what was heard so far. */
  writeHeard(): void {
    this.#hearing?.write()
  }
}

const earliest = (...times: ReadonlyArray<number | undefined>): number | undefined => {
  let first: number | undefined
  for (const time of times) if (time !== undefined && (first === undefined || time < first)) first = time
  return first
}
