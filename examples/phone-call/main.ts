/**
 * A caller rings an agent, and both are recorded: `npm run demo:phone`. The caller is a fake of Twilio's, the model is the
 * embedded server over a WebSocket, with the embedded voice if its packages are installed, and a humming one otherwise.
 */
import { createServer } from "node:http"
import { resolve } from "node:path"
import { FetchHttpClient } from "@effect/platform"
import { NodeFileSystem, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger, LogLevel, Redacted, Stream } from "effect"
import { Agent, EmbeddedRealtime, OpenAiRealtime } from "effect-realtime"
import * as EmbeddedVoice from "effect-realtime/EmbeddedVoice"
import { FakeTwilio, PhoneTools } from "effect-realtime/Telephony"
import * as Terminal from "../concierge/terminal.js"
import { findRestaurant } from "../concierge/tools/restaurants.js"
import { currentTime } from "../concierge/tools/time.js"
import "../shared/pipe.js"
import { listen, open } from "./phone.js"
import * as Questions from "./questions.js"
import * as Timeline from "./timeline.js"

const file = resolve("phone-call.wav")

const agent = Agent.make("Concierge", {
  instructions: "You answer the phone of a small hotel. Use your tools, and answer in one or two sentences.",
  tools: [currentTime, findRestaurant, PhoneTools.hangUp()],
  settings: { audio: { input: { transcription: { model: "gpt-4o-mini-transcribe" } } } }
})

/** The embedded server's own mind, which greets whoever has not said anything yet. */
const mind: EmbeddedRealtime.Mind = {
  start: Effect.map(
    EmbeddedRealtime.router.start,
    (think) => (request) =>
      request.conversation.length === 0
        ? Stream.make(EmbeddedRealtime.say("Hotel Anker, good evening. How can I help you?"))
        : think(request)
  )
}

/** Without the packages of the voice, the model hums, and knows the questions by heart. */
const hum = Effect.map(Questions.texts, (texts): Partial<EmbeddedRealtime.ServeOptions> => {
  let next = 0
  return {
    transcribe: () => {
      next += 1
      return { text: texts[next - 1] ?? "" }
    }
  }
})
const voice = EmbeddedVoice.make().pipe(
  Effect.catchTag("VoiceUnavailable", ({ message }) => Effect.zipRight(Console.log(`${message} It hums.`), hum))
)

const program = Effect.gen(function* () {
  const server = yield* EmbeddedRealtime.serve({ mind, ...(yield* voice) })
  const terminal = Terminal.make({
    isTty: process.stdout.isTTY === true,
    columns: process.stdout.columns,
    variables: process.env
  })
  const timeline = yield* Timeline.make(terminal)
  const authToken = Redacted.make("the auth token of the account")
  const { ended, publicUrl } = yield* listen(agent, authToken, file, timeline).pipe(
    Effect.provide(OpenAiRealtime.layer({ url: server.url, apiKey: Redacted.make("none"), authentication: "none" })),
    Effect.provide(NodeFileSystem.layer)
  )
  yield* Console.log(`The model listens on ${server.url}, and the phone on ${publicUrl}/voice`)

  const { caller } = yield* FakeTwilio.dial({ voiceUrl: `${publicUrl}/voice`, authToken, open })
  const speaks = Effect.map(caller.waitingMs, (ms) => ms > 0)
  /** Waits for an answer, and until it was heard. */
  const hear = Effect.zipRight(until(speaks), caller.quiet)
  const ask = ({ audio, text }: Questions.Question) => Effect.zipRight(timeline.caller(text), caller.say(audio))

  const [time, restaurant, atlantis] = yield* Questions.read
  yield* hear
  yield* ask(time)
  yield* hear
  yield* ask(restaurant)
  yield* until(speaks)
  yield* Effect.sleep("1500 millis")
  yield* ask(atlantis)
  yield* hear
  yield* Effect.sleep("1 second")
  yield* timeline.caller("(hangs up)")
  yield* caller.hangUp
  yield* ended
  const problems = yield* caller.problems
  yield* Console.log(`\nThe call is in ${file}: the caller on the left, the agent on the right.`)
  if (problems.length > 0) yield* Effect.fail({ message: `The caller heard crackle: ${problems.join(" ")}` })
})

const until = (condition: Effect.Effect<boolean>) =>
  Effect.sleep("20 millis").pipe(Effect.repeat({ until: () => condition }))

program.pipe(
  Effect.scoped,
  Effect.provide([
    FetchHttpClient.layer,
    NodeFileSystem.layer,
    NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })
  ]),
  Logger.withMinimumLogLevel(LogLevel.Error),
  NodeRuntime.runMain
)
