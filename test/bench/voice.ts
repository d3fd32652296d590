/**
 * `npm run bench:voice [-- --turns 10] [--sessions 1,2,4] [--recognizer base]`
 *
 * Measures how long a caller waits for the embedded voice: from the end of the last word of a spoken question to the first
 * audio of the answer. The question is sent in real time. The answer needs a tool call, so it takes two responses. The
 * 500 ms of silence that end the turn are included.
 */
import { parseArgs } from "node:util"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import * as EmbeddedVoice from "../../src/EmbeddedVoice.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { percentile } from "./stats.js"
import "../../examples/shared/pipe.js"

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "10" },
    sessions: { type: "string", default: "1,2,4" },
    recognizer: { type: "string" }
  }
})
const turns = Number(values.turns)
const counts = values.sessions.split(",").map(Number)

const CHUNK_MS = 40
const question = "What is the weather in Paris?"

const getWeather = Tool.make("get_weather", {
  description: "The weather in a city",
  parameters: { city: Schema.String },
  handler: ({ city }) => Effect.succeed(`It is sunny in ${city}.`)
})

const agent = Agent.make("Forecaster", { instructions: "Tell the weather.", tools: [getWeather] })

interface Spoken {
  readonly chunks: ReadonlyArray<Uint8Array>
  /** The end of the last word, in milliseconds. */
  readonly endMs: number
}

const speak = Effect.gen(function* () {
  const { voice } = yield* EmbeddedVoice.make({ speaker: "slt" })
  const pieces = yield* Stream.runCollect(voice.speak(question, { format: "audio/pcm" }))
  const samples = Audio.resample(Buffer.concat(Array.from(pieces, ({ audio }) => audio)), 24_000, 24_000)
  const endMs = samples.findLastIndex((sample) => Math.abs(sample) > 300) / 24
  const bytes = Audio.encodePcm16(samples)
  const spoken: Spoken = { chunks: Audio.split(bytes, Audio.bytesOf(Audio.pcm16, CHUNK_MS)), endMs }
  return spoken
})

/** Sends the question, then silence until the answer begins. Returns the wait in milliseconds. */
const turn = (
  { chunks, endMs }: Spoken,
  session: Pick<Session.Session, "sendAudio">,
  answered: Effect.Effect<number>
) =>
  Effect.gen(function* () {
    const start = performance.now()
    const silence = Audio.silence(Audio.pcm16, CHUNK_MS)
    const send = (index: number): Effect.Effect<never, unknown> =>
      session
        .sendAudio(chunks[index] ?? silence)
        .pipe(
          Effect.zipRight(
            Effect.suspend(() => Effect.sleep(Math.max(0, start + (index + 1) * CHUNK_MS - performance.now())))
          ),
          Effect.zipRight(Effect.suspend(() => send(index + 1)))
        )
    const heardAt = yield* Effect.raceFirst(answered, send(0))
    return heardAt - (start + endMs)
  })

const talk = (spoken: Spoken) =>
  Effect.gen(function* () {
    let waiting: Deferred.Deferred<number> | undefined
    const session = yield* Session.make(agent, {
      onAudio: () => {
        if (waiting !== undefined) Deferred.unsafeDone(waiting, Effect.succeed(performance.now()))
        waiting = undefined
      }
    })
    const waits: Array<number> = []
    for (let index = 0; index < turns; index++) {
      const answered = yield* Deferred.make<number>()
      waiting = answered
      waits.push(yield* turn(spoken, session, Deferred.await(answered)))
      // The next question must not interrupt this answer.
      yield* session.interrupt
      yield* Effect.sleep("1 second")
    }
    return waits
  }).pipe(Effect.scoped)

const milliseconds = (value: number): string => `${Math.round(value)} ms`.padStart(10)

const program = Effect.gen(function* () {
  const spoken = yield* speak
  console.log(`From the end of "${question}" to the first audio of the answer, with one tool call:\n`)
  console.log("sessions  turns       p50       p95       most")
  for (const count of counts) {
    const all = yield* Effect.all(
      Array.from({ length: count }, () => talk(spoken)),
      { concurrency: "unbounded" }
    )
    const waits = all.flat()
    const cells = [0.5, 0.95, 1].map((rank) => milliseconds(percentile(waits, rank)))
    console.log(`${String(count).padStart(8)}${String(waits.length).padStart(7)}${cells.join("")}`)
  }
})

const recognizer =
  values.recognizer === undefined ? {} : ({ recognizer: values.recognizer === "tiny" ? "tiny" : "base" } as const)

await program.pipe(Effect.provide(EmbeddedVoice.layer(recognizer)), Effect.scoped, Effect.runPromise)
