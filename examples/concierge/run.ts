/** Connects the parts: a guest, a model, the timeline, and the judge at the end. */
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { EmbeddedRealtime, OpenAiRealtime } from "effect-realtime"
import * as EmbeddedVoice from "effect-realtime/EmbeddedVoice"
import { concierge, speakingConcierge } from "./agent.js"
import * as Guest from "./guest.js"
import { judge, type ServerRecord } from "./judge.js"
import { misled } from "./mind.js"
import type { Options } from "./options.js"
import { play } from "./play.js"
import * as Recording from "./recording.js"
import * as Terminal from "./terminal.js"
import * as Timeline from "./timeline.js"
import { BookTableLive } from "./tools/restaurants.js"

/** There is no model to talk to. */
export class KeyMissing extends Schema.TaggedError<KeyMissing>()("KeyMissing", {}) {
  override get message(): string {
    return "The API key is missing. Set OPENAI_API_KEY, or leave out --openai: the embedded model needs no key."
  }
}

/** Plays one conversation, and gives the exit code. */
export const run = (options: Options) =>
  Effect.gen(function* () {
    const terminal = Terminal.make({
      isTty: process.stdout.isTTY === true,
      // A terminal that does not know its width says 0.
      columns: process.stdout.columns || columnsOf(process.env),
      variables: process.env
    })
    const typed = options.guest._tag === "Typed"
    const spoken = options.guest._tag === "Recorded"
    const guest = yield* guestOf(options.guest)
    // What a person types is on the screen already.
    const timeline = Timeline.make(terminal, { showsGuest: !(typed && process.stdin.isTTY) })
    const { events, server, sound } = yield* options.model === "openai"
      ? withOpenAi(guest, timeline, spoken)
      : withEmbedded(guest, timeline, spoken)
    if (spoken) yield* Console.log(`\nwrote ${answer}: ${(yield* Recording.write(answer, sound)).toFixed(1)} s`)
    const verdict = judge(server, events)
    yield* Console.log(Timeline.summary(verdict, terminal).join("\n"))
    return verdict.problems.length === 0 ? 0 : 1
  }).pipe(Effect.scoped)

/** Where the spoken answer is written. */
const answer = "answer.wav"

const guestOf = (guest: Options["guest"]) => {
  switch (guest._tag) {
    case "Typed":
      return Guest.fromTerminal
    case "Recorded":
      return Guest.fromRecording(guest.file)
    case "File":
      return Guest.fromFile(guest.file)
  }
}

/** A server on this machine, over a real WebSocket. The judge reads the server's own record. */
const withEmbedded = (guest: Guest.Guest, timeline: Timeline.Timeline, spoken: boolean) =>
  Effect.gen(function* () {
    const { mind, mislead } = yield* misled
    const voice = spoken ? yield* EmbeddedVoice.make() : {}
    const served = yield* EmbeddedRealtime.serve({ mind, ...voice })
    yield* Console.log(`An embedded model listens on ${served.url}`)
    const model = OpenAiRealtime.layer({ url: served.url, apiKey: Redacted.make("none"), authentication: "none" })
    const { events, sound } = yield* play(agentFor(spoken), guest, timeline, mislead).pipe(
      Effect.provide(model),
      Effect.provide(BookTableLive)
    )
    const connection = yield* served.connection
    const conversation = yield* connection.conversation
    const server: ServerRecord = {
      calls: conversation.flatMap((item) =>
        item.type === "function_call" && item.status === "completed" ? [{ callId: item.call_id, name: item.name }] : []
      ),
      outputs: yield* connection.outputs
    }
    return { events, server, sound }
  })

/** The real service keeps no record for us: the items that it acknowledged are the next best. */
const withOpenAi = (guest: Guest.Guest, timeline: Timeline.Timeline, spoken: boolean) =>
  Effect.gen(function* () {
    const key = yield* Effect.option(Config.nonEmptyString("OPENAI_API_KEY"))
    if (key._tag === "None") return yield* new KeyMissing()
    const { events, items, sound } = yield* play(agentFor(spoken), guest, timeline, undefined).pipe(
      Effect.provide(OpenAiRealtime.layerConfig()),
      Effect.provide(BookTableLive)
    )
    const server: ServerRecord = {
      calls: items.flatMap((item) =>
        item._tag === "FunctionCall" && item.status === "completed" ? [{ callId: item.callId, name: item.name }] : []
      ),
      outputs: items.flatMap((item) => (item._tag === "FunctionCallOutput" ? [item] : []))
    }
    return { events, server, sound }
  })

const agentFor = (spoken: boolean) => (spoken ? speakingConcierge : concierge)

const columnsOf = ({ COLUMNS }: NodeJS.ProcessEnv): number | undefined => {
  const columns = Number(COLUMNS)
  return Number.isInteger(columns) && columns > 0 ? columns : undefined
}
