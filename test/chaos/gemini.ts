import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Options } from "../../src/EmbeddedRealtime.js"
import type { Ending, ServerConnection } from "../../src/embedded/ServerConnection.js"
import { ServerConversation } from "../../src/embedded/ServerConversation.js"
import type { ServerItem } from "../../src/embedded/ServerItem.js"
import type { JsonObject } from "../../src/embedded/Shape.js"
import type { Border } from "../../src/gemini/Border.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { Item } from "../../src/protocol/Item.js"
import { callsCancelled } from "../../src/testing/Observation.js"
import type { Action, Program } from "../../src/testing/Program.js"
import { type Cast, Stage } from "../../src/testing/Stage.js"
import { Testing } from "../../src/testing.js"
import * as GeminiServer from "../gemini/GeminiServer.js"
import { modelOf } from "../gemini/inMemory.js"

const isRecord = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What the border has said of the conversation, as a server of the session's protocol would have it. */
class Shadow {
  readonly conversation = new ServerConversation()
  readonly refused: Array<{ readonly refusal: never; readonly event: JsonObject }> = []
  session: JsonObject = {}
  isBegun = false
  readonly #sent = new Map<string, JsonObject>()

  /** `before`: who had the conversation that this connection goes on with. */
  constructor(private readonly before: () => Shadow | undefined) {}

  sent(event: ClientEvent): void {
    if (event.event_id !== undefined) this.#sent.set(event.event_id, { ...event })
  }

  gave(event: JsonObject): void {
    const { item, previous_item_id, session } = event
    switch (event["type"]) {
      case "session.created":
        this.isBegun = true
        for (const known of this.before()?.conversation.snapshot() ?? []) this.conversation.insert(known, undefined)
        break
      case "session.updated":
        if (isRecord(session)) this.session = session
        break
      case "conversation.item.added":
        if (isRecord(item))
          this.conversation.insert(itemOf(item), typeof previous_item_id === "string" ? previous_item_id : "root")
        break
      case "conversation.item.done":
        if (isRecord(item)) this.conversation.replace(itemOf(item))
        break
      case "conversation.item.input_audio_transcription.completed": {
        const known = this.conversation.get(String(event["item_id"]))
        if (known?.type !== "message") break
        const content = [{ type: "input_audio" as const, transcript: String(event["transcript"]) }]
        this.conversation.replace({ ...known, content })
        break
      }
      case "error": {
        const error = event["error"]
        const id = isRecord(error) ? error["event_id"] : undefined
        // The law only asks which event it was.
        this.refused.push({ refusal: error as never, event: this.#sent.get(String(id)) ?? {} })
      }
    }
  }
}

/** An item of the wire is one of the server's, but for what may be absent. */
const itemOf = (item: JsonObject): ServerItem => item as unknown as Item as ServerItem

const unsupported = Effect.void

/** Gemini takes only what it can. The rest of a program is for servers of the session's own protocol. */
const plays = (action: Action): boolean => {
  switch (action._tag) {
    case "ServerWinsRace":
    case "ServerRefuses":
    case "ServerSends":
    case "ServerTruncates":
    case "ServerIsSlow":
    case "ServerRepeats":
    case "ServerIgnores":
    case "ServerWithholds":
    case "SessionExpires":
    case "HandshakesFail":
      return false
    default:
      return true
  }
}

/** What the session did that Gemini does not take: filled while a program runs. */
const mistakes: Array<string> = []

export const onlyWhatGeminiTakes = Testing.law("OnlyWhatGeminiTakes", "Gemini is told nothing that it refuses.", () =>
  Effect.sync(() => mistakes.splice(0))
)

const make =
  (resumes: boolean) =>
  ({ mind, observe = () => undefined, voice }: Options): Effect.Effect<Cast> =>
    Effect.gen(function* () {
      if (mind === undefined) return yield* Effect.dieMessage("A program has a mind.")
      const server = yield* GeminiServer.make({
        mind,
        resumes,
        ...(voice === undefined ? {} : { voice }),
        // As a model that says more after its calls.
        afterCalls: [{ serverContent: { turnComplete: true } }]
      })
      const made: Array<ServerConnection> = []
      const shadows = new Map<number, Shadow>()
      const opened = (number: number, connection: GeminiServer.Connection, _: Border): void => {
        const shadow = new Shadow(() => {
          const resumption = connection.setup()?.["sessionResumption"]
          const goesOn = isRecord(resumption) && resumption["handle"] !== undefined
          // The conversation lives on: the one that had it last has all of it.
          return goesOn ? [...shadows.values()].findLast((other) => other !== shadow && other.isBegun) : undefined
        })
        shadows.set(number, shadow)
        made.push(serverConnection(number, connection, shadow))
        observe({ _tag: "Connected", connection: number, model: "gemini-test" })
      }
      const model = modelOf(server, {
        opened,
        sent: (number, event) => shadows.get(number)?.sent(event),
        gave: (number, frame) => {
          if (frame._tag === "CallsCancelled") {
            const event = { type: callsCancelled, call_ids: frame.callIds }
            observe({ _tag: "Sent", connection: number, event })
          }
          if (frame._tag !== "Known") return
          const event: JsonObject = { ...frame.event }
          shadows.get(number)?.gave(event)
          observe({ _tag: "Sent", connection: number, event })
        },
        ended: (number, code, byServer) => {
          const ending: Ending = byServer
            ? code === 1006
              ? { _tag: "Dropped" }
              : { _tag: "ClosedByServer", code, reason: "" }
            : { _tag: "ClosedByClient", code, reason: "" }
          mistakes.push(...(server.connections[number - 1]?.mistakes ?? []))
          observe({ _tag: "Ended", connection: number, ending })
        }
      })
      const connections = Effect.sync(() => [...made])
      const latest = Effect.suspend(() => {
        const last = made.at(-1)
        return last === undefined ? Effect.dieMessage("There is no connection.") : Effect.succeed(last)
      })
      return { model, connections, connection: latest }
    })

const serverConnection = (number: number, connection: GeminiServer.Connection, shadow: Shadow): ServerConnection => ({
  number,
  received: Effect.succeed([]),
  refused: Effect.sync(() => shadow.refused),
  outputs: Effect.sync(() =>
    shadow.conversation
      .snapshot()
      .flatMap((item) => (item.type === "function_call_output" ? [{ callId: item.call_id, output: item.output }] : []))
  ),
  conversation: Effect.sync(() => shadow.conversation.snapshot()),
  userAudio: () => Effect.succeed(undefined),
  session: Effect.sync(() => shadow.session),
  next: () => Effect.dieMessage("Nobody waits for an event of a client here."),
  push: () => unsupported,
  pushText: () => unsupported,
  speechStarts: Effect.succeed(""),
  speechEnds: (_, transcript) => Effect.sync(() => connection.userSays(transcript)),
  userSays: (transcript) => Effect.sync(() => connection.userSays(transcript)),
  truncates: () => unsupported,
  pressKey: () => unsupported,
  drop: Effect.sync(() => connection.close(1006)),
  close: (code, reason) => Effect.sync(() => connection.close(code, reason)),
  ended: Effect.never
})

const adapt = (program: Program): Program => ({
  ...program,
  toolChoice: "auto",
  steps: program.steps.filter(({ action }) => plays(action))
})

/** Gemini keeps what was not heard: the conversations differ by it, and by nothing else. */
const unheard = ({ modality }: Program): ReadonlyArray<string> => (modality === "audio" ? ["Mirror"] : [])

/** What the laws must know of it. */
const traits = { spokenItems: "refused" } as const

/** Each connection begins a new conversation, as with OpenAI. */
export const anew = Context.make(Stage, { make: make(false), adapt, excused: unheard, traits })

/** The conversation lives on where it can: nothing is sent again there. */
export const resuming = Context.make(Stage, {
  make: make(true),
  adapt,
  excused: (program) => ["Turns", ...unheard(program)],
  traits
})
