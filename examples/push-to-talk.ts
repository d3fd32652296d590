/**
 * Push-to-talk with files: `npx tsx examples/push-to-talk.ts QUESTION.wav ANSWER.wav`. Reads a recording of any rate, sends
 * it, ends the turn, and writes what the model says. Without files, it makes the question, and both go to a temporary
 * folder. The embedded server understands no speech, so a script says what was asked; it answers with a tone.
 */
import { FileSystem, Path } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Chunk, Console, Effect, Fiber, Schema, Stream } from "effect"
import { Agent, Audio, Conversation, EmbeddedRealtime, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

const openingHours = Tool.make("opening_hours", {
  description: "When a shop opens and closes",
  parameters: { shop: Schema.String },
  handler: ({ shop }) => Effect.succeed(`The ${shop} is open from nine to six.`)
})

const agent = Agent.make("Directory", {
  instructions: "Tell the opening hours.",
  tools: [openingHours],
  settings: {
    audio: { input: { turn_detection: null, transcription: { model: "gpt-4o-mini-transcribe" } } }
  }
})

const server = EmbeddedRealtime.layer({ transcribe: () => ({ text: 'When does the shop "Bakery" open?' }) })

const rate = Audio.sampleRate(Audio.pcm16)

/** A question as a telephone might record it: a hum, at 16,000 samples per second. */
const makeQuestion = (file: string) =>
  Effect.gen(function* () {
    const voice = EmbeddedRealtime.toneVoice({ frequency: 330 })
    const pieces = yield* Stream.runCollect(voice.speak("When does the bakery open?", { format: "audio/pcm" }))
    const resampler = Audio.Resampler.make({ from: rate, to: 16000 })
    const samples = [...Chunk.map(pieces, ({ audio }) => resampler.push(audio)), resampler.flush()]
    const bytes = Buffer.concat(samples.map(Audio.encodePcm16))
    const fs = yield* FileSystem.FileSystem
    yield* fs.writeFile(file, Audio.Wav.encode({ sampleRate: 16000, bytes }))
  })

const readPcm = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const wav = yield* Audio.Wav.decode(yield* fs.readFile(file))
    const from = yield* Audio.toSampleRate(wav.sampleRate)
    yield* Console.log(`read      ${file}: ${wav.sampleRate} samples per second, ${wav.channels} channel(s)`)
    return Audio.encodePcm16(Audio.resample(Audio.toMono(wav.samples, wav.channels), from, rate))
  })

const talk = (question: Uint8Array) =>
  Effect.gen(function* () {
    const session = yield* Session.make(agent)
    const answer = yield* Effect.fork(Stream.runCollect(session.audio))
    yield* session.sendAudio(question)
    yield* session.commitAudio
    yield* session.events.pipe(
      Stream.tap((event) =>
        event._tag === "ToolSucceeded"
          ? Console.log(`tool      ${event.call.tool} ${event.call.arguments}`)
          : Effect.void
      ),
      Stream.takeUntil((event) => event._tag === "AudioCompleted"),
      Stream.runDrain
    )
    for (const item of (yield* session.conversation).items) {
      if (item._tag === "Message") yield* Console.log(`${item.role.padEnd(10)}${Conversation.textOf(item)}`)
    }
    yield* session.close
    return Buffer.concat([...Chunk.map(yield* Fiber.join(answer), ({ bytes }) => bytes)])
  }).pipe(Effect.scoped)

const program = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const [given, output] = process.argv.slice(2)
  const folder = yield* fs.makeTempDirectory({ prefix: "push-to-talk-" })
  const input = given ?? path.join(folder, "question.wav")
  if (given === undefined) yield* makeQuestion(input)
  const answer = yield* talk(yield* readPcm(input))
  const file = output ?? path.join(folder, "answer.wav")
  yield* fs.writeFile(file, Audio.Wav.encode({ sampleRate: rate, bytes: answer }))
  yield* Console.log(`wrote     ${file}: ${Audio.durationMs(Audio.pcm16, answer.length)} ms`)
})

NodeRuntime.runMain(program.pipe(Effect.provide([NodeContext.layer, server])))
